"""`ragcli evaluate SET`: how well questions with known answers are found and answered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ragcli.cli.measuring import MODES, Wanted, evaluate
from ragcli.cli.options import Common, FilterBy, In, TopK
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.scores import heading, print_modes, warn_of
from ragcli.cli.session import Session
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.retrieve.options import Mode

BELOW = 4
"""The exit code when a measure is below its floor: all was done, and is not as it should be."""


def evaluate_command(
    common: Common,
    questions: Annotated[
        Path | None,
        typer.Argument(metavar="SET", help="A BEIR folder, or a JSONL or CSV file of questions."),
    ] = None,
    inside: In = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Qrels of a BEIR folder.")
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option("--mode", metavar="hybrid|dense|lexical", help="Repeatable; by default all."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option("--measure", metavar="NAME", help="Such as nDCG@20; repeatable."),
    ] = None,
    top_k: TopK = None,
    filter_by: FilterBy = None,
) -> None:
    """Measure retrieval and answers on questions whose answers are known."""
    from ragcli.evaluate.evaluation import SCHEMA, set_json
    from ragcli.evaluate.reading import load

    session = Session(common, os.environ, Path.cwd())
    session.override(retrieval__top_k=top_k)
    if questions is None:
        raise UsageError(
            "There is no question set.", "For example: ragcli evaluate questions.jsonl"
        )
    asked = load(questions, split=split)
    wanted = Wanted(_modes(mode), _measures(session, measure), inside or [], filter_by or [])
    with TerminalProgress(session.out) as progress:
        found = evaluate(session, asked, wanted, progress)
    problems = [*asked.problems, *found.problems]
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "set": set_json(asked, problems),
        **found.as_json(),
    }
    if session.out.json:
        session.out.record(facts)
        return
    warn_of(session.out, problems)
    session.out.data(session.out.bold(heading(asked, facts)))
    print_modes(session.out, facts, str(wanted.measures[0]))


def _modes(names: list[str] | None) -> list[Mode]:
    for name in names or []:
        if name not in MODES:
            raise UsageError(f"There is no mode {name!r}.", f"Known: {', '.join(MODES)}.")
    return [cast("Mode", name) for name in dict.fromkeys(names or MODES)]


def _measures(session: Session, names: list[str] | None) -> list[Any]:
    from ragcli.evaluate.metrics import Measure, usual

    if names:
        return [Measure.named(name) for name in dict.fromkeys(names)]
    return usual(session.settings.retrieval.top_k)

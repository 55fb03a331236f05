"""`ragcli evaluate SET`: how well questions with known answers are found and answered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.comparing import compare_sides
from ragcli.cli.figures import below_json, exit_below, remember_run, write_report
from ragcli.cli.files import check_place
from ragcli.cli.measuring import MODES, RERANKED, Wanted, evaluate
from ragcli.cli.options import Common, FilterBy, In, TopK
from ragcli.cli.options import Llm as LlmOption
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.scores import heading, print_answers, print_history, print_modes, warn_of
from ragcli.cli.session import Session
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.evaluate.evaluation import Evaluation
    from ragcli.evaluate.floors import Floor
    from ragcli.evaluate.metrics import Measure
    from ragcli.evaluate.questions import QuestionSet

Set = Annotated[
    Path | None,
    typer.Argument(metavar="SET", help="A BEIR folder, or a JSONL or CSV file of questions."),
]


def evaluate_command(
    common: Common,
    questions: Set = None,
    answers: Annotated[
        bool, typer.Option("--answers", help="Answer the questions too, and measure that.")
    ] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--compare",
            metavar="A B",
            help="Is B better than A? Each is a mode, a config file or profile, collection=NAME,"
            " section.key=value, current, or several joined by commas.",
        ),
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-under",
            metavar="MEASURE=X",
            help="Exit 4 when a measure (with --compare, of B) is lower, such as nDCG@10=0.7;"
            " repeatable.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report with plots.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="With --json: every question with its result.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Show past evaluations of the collection.")
    ] = False,
    make_set: Annotated[
        int | None,
        typer.Option("--make-set", metavar="N", min=1, help="Write N questions for review."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="With --make-set: where to.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="With --make-set: another choice.")] = 0,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Qrels of a BEIR folder.")
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            "--mode",
            metavar="hybrid|dense|lexical|reranked",
            help="Repeatable; by default all that are configured.",
        ),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option("--measure", metavar="NAME", help="Such as nDCG@20; repeatable."),
    ] = None,
    inside: In = None,
    top_k: TopK = None,
    filter_by: FilterBy = None,
    llm: LlmOption = None,
) -> None:
    """Measure retrieval and answers on questions whose answers are known."""
    from ragcli.evaluate.floors import Floor
    from ragcli.evaluate.reading import load

    session = Session(common, os.environ, Path.cwd())
    session.config.override(retrieval__top_k=top_k)
    if llm is not None:
        from ragcli.llms.naming import parse

        use, model = parse(llm)
        session.config.override(llm__use=use, llm__model=model)
    if fail_under and (history or make_set is not None):
        raise UsageError("--fail-under is for figures, and none are measured.", "Leave it out.")
    if history:
        _history(session)
        return
    if make_set is not None:
        from ragcli.cli.making import make_set as write_set

        write_set(session, make_set, seed, output)
        return
    if questions is None:
        raise UsageError(
            "There is no question set.",
            "For example: ragcli evaluate questions.jsonl; write one with --make-set 50.",
        )
    floors = [Floor.read(text) for text in fail_under or []]
    if html is not None:
        check_place(session.cwd / html.expanduser())
    asked = load(questions, split=split)
    _check_set(asked, answers)
    measures = _measures(session, measure, floors)
    wanted = Wanted(_modes(session, mode), measures, answers, inside or [], filter_by or [])
    if compare is not None:
        named = {part.strip() for text in compare for part in text.split(",")}
        if len({*(mode or [])}) > 1 or (mode and named & {*MODES, RERANKED}):
            raise UsageError(
                "--compare searches in one way on each side: that of --mode, or what the side names.",
                "Name the ways as sides, such as --compare dense hybrid, or give one --mode.",
            )
        compare_sides(session, asked, wanted, compare, floors, html, each)
        return
    _evaluate(session, asked, wanted, floors, html, each)


def _evaluate(
    session: Session,
    asked: QuestionSet,
    wanted: Wanted,
    floors: Sequence[Floor],
    html: Path | None,
    each: bool,
) -> None:
    from ragcli.evaluate.evaluation import SCHEMA, set_json
    from ragcli.evaluate.floors import below, check

    check(floors, wanted.modes, asked.items, answers=wanted.answers)
    with TerminalProgress(session.out) as progress:
        found, folder = evaluate(session, asked, wanted, progress)
    problems = [*asked.problems, *found.problems]
    missed = below(floors, found)
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "set": set_json(asked, problems),
        **found.as_json(),
        "below": below_json(missed),
        **({"each": found.each(asked)} if each else {}),
    }
    remember_run(session, folder, facts)
    if html is not None:
        _report(session, html, asked, found, facts, folder)
    if session.out.json:
        session.out.record(facts)
    else:
        warn_of(session.out, problems)
        for warning in found.warnings:
            session.out.warn(warning)
        session.out.data(session.out.bold(heading(asked, facts)))
        print_modes(session.out, facts["modes"])
        if facts["answers"]:
            print_answers(session.out, facts["answers"])
    exit_below(session, missed)


def _history(session: Session) -> None:
    from ragcli.evaluate.history import remembered

    with session.collection() as collection:
        records = remembered(collection.directory)
    if session.out.json:
        session.out.record({"schema": "ragcli.evaluate-history/1", "evaluations": records})
    elif records:
        print_history(session.out, records)
    else:
        session.out.note("This collection was not evaluated yet: ragcli evaluate SET")


def _report(
    session: Session,
    html: Path,
    asked: QuestionSet,
    found: Evaluation,
    facts: dict[str, Any],
    folder: Path,
) -> None:
    from ragcli.evaluate.history import remembered, way
    from ragcli.evaluate.page import report

    past = [
        one
        for one in remembered(folder)
        if one["set"].get("digest") == asked.digest and way(one) == one["mode"]
    ]
    write_report(session, html, report(asked, found, facts, past))


def _check_set(asked: QuestionSet, answers: bool) -> None:
    """Raise UsageError where there is nothing to measure."""
    if not answers and not any(item.findable for item in asked.items):
        raise UsageError(
            f"{asked.name} has only questions that nothing answers: there is nothing to find.",
            "Whether they are left unanswered is measured with --answers.",
        )


def _modes(session: Session, names: list[str] | None) -> list[str]:
    known = (*MODES, RERANKED)
    for name in names or []:
        if name not in known:
            raise UsageError(f"There is no mode {name!r}.", f"Known: {', '.join(known)}.")
    return list(dict.fromkeys(names or (known if session.reranker_name else MODES)))


def _measures(session: Session, names: list[str] | None, floors: Sequence[Floor]) -> list[Measure]:
    from ragcli.evaluate.metrics import Measure, usual

    chosen = [Measure.named(name) for name in names or []]
    chosen = chosen or usual(session.settings.retrieval.top_k)
    return list(dict.fromkeys([*chosen, *(found for f in floors if (found := f.retrieval))]))

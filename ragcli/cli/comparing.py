"""`ragcli evaluate --compare A B`: measures two sides on the same questions and prints the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.cli.files import write_text
from ragcli.cli.measuring import Wanted, evaluate
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.scores import heading, print_comparison, warn_of
from ragcli.cli.session import Session

if TYPE_CHECKING:
    from ragcli.evaluate.evaluation import Evaluation
    from ragcli.evaluate.questions import QuestionSet


def compare_sides(
    session: Session,
    asked: QuestionSet,
    wanted: Wanted,
    compare: tuple[str, str],
    html: Path | None,
) -> None:
    """Measure both sides of `--compare` and say whether the second is better."""
    from ragcli.cli.sides import side
    from ragcli.evaluate.evaluation import SCHEMA, set_json
    from ragcli.evaluate.versus import versus

    wanted = replace(wanted, modes=wanted.modes if len(wanted.modes) == 1 else [])
    found: list[Evaluation] = []
    with TerminalProgress(session.out) as progress:
        for text in compare:
            other = side(session, text)
            found.append(evaluate(other, asked, wanted, progress, text)[0])
    first, second = found
    compared = versus(asked, first, second, session.settings.retrieval.top_k)
    problems = list(dict.fromkeys([*asked.problems, *(p for one in found for p in one.problems)]))
    if html is not None:
        from ragcli.evaluate.page import comparison

        write_report(session, html, comparison(asked, compared))
    if session.out.json:
        session.out.record(
            {
                "schema": SCHEMA,
                "set": set_json(asked, problems),
                "sides": [{"name": one.name, **one.as_json()} for one in found],
                "comparison": compared.as_json(),
            }
        )
        return
    warn_of(session.out, problems)
    session.out.data(session.out.bold(heading(asked, found[1].system)))
    print_comparison(session.out, compared.as_json())


def write_report(session: Session, file: Path, text: str) -> None:
    """Write a page for people to a file that they named."""
    write_text(session.cwd / file.expanduser(), text)
    session.out.note(f"Wrote {file}.")

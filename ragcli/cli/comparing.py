"""`ragcli evaluate --compare A B`: measures two sides on the same questions and prints the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.figures import below_json, exit_below, remember_run, write_report
from ragcli.cli.measuring import Wanted, configured, evaluate
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.scores import heading, print_comparison, warn_of
from ragcli.cli.session import Session

if TYPE_CHECKING:
    from ragcli.evaluate.evaluation import Evaluation
    from ragcli.evaluate.floors import Floor
    from ragcli.evaluate.questions import Problem, QuestionSet
    from ragcli.evaluate.versus import Comparison


def compare_sides(
    session: Session,
    asked: QuestionSet,
    wanted: Wanted,
    compare: tuple[str, str],
    floors: Sequence[Floor],
    html: Path | None,
    each: bool,
) -> None:
    """Measure both sides of `--compare` and say whether the second is better; floors are under it."""
    from ragcli.cli.sides import side
    from ragcli.evaluate.floors import below, check
    from ragcli.evaluate.versus import versus

    wanted = replace(wanted, modes=wanted.modes if len(wanted.modes) == 1 else [])
    sides = [side(session, text) for text in compare]
    modes = wanted.modes or [configured(sides[1])]
    check(floors, modes, asked.items, answers=wanted.answers)
    with TerminalProgress(session.out) as progress:
        (first, where), (second, beside) = (
            evaluate(other, asked, wanted, progress, text)
            for other, text in zip(sides, compare, strict=True)
        )
    compared = versus(asked, first, second, session.settings.retrieval.top_k)
    missed = below(floors, second)
    facts = _facts(asked, compared, each) | {"below": below_json(missed)}
    for folder, told in zip((where, beside), facts["sides"], strict=True):
        _remember(session, folder, facts["set"], told)
    if html is not None:
        from ragcli.evaluate.page import comparison

        write_report(session, html, comparison(asked, compared))
    if session.out.json:
        session.out.record(facts)
    else:
        _show(session, asked, compared, facts)
    exit_below(session, missed)


def _facts(asked: QuestionSet, compared: Comparison, each: bool) -> dict[str, Any]:
    from ragcli.evaluate.evaluation import SCHEMA, set_json

    both = (compared.a, compared.b)
    return {
        "schema": SCHEMA,
        "set": set_json(asked, _problems(asked, both)),
        "sides": [
            {"name": one.name, **one.as_json(), **({"each": one.each(asked)} if each else {})}
            for one in both
        ],
        "comparison": compared.as_json(),
    }


def _problems(asked: QuestionSet, both: Sequence[Evaluation]) -> list[Problem]:
    return list(dict.fromkeys([*asked.problems, *(p for one in both for p in one.problems)]))


def _remember(session: Session, folder: Path, asked: dict[str, Any], told: dict[str, Any]) -> None:
    from ragcli.cli.sides import CURRENT

    # What is configured is asked as an evaluation of its own would ask it.
    side = None if told["name"] == CURRENT else told["name"]
    remember_run(session, folder, {"set": asked, **told}, side)


def _show(
    session: Session, asked: QuestionSet, compared: Comparison, facts: dict[str, Any]
) -> None:
    both = (compared.a, compared.b)
    warn_of(session.out, _problems(asked, both))
    for warning in dict.fromkeys(text for one in both for text in one.warnings):
        session.out.warn(warning)
    session.out.data(session.out.bold(heading(asked, compared.b.system)))
    print_comparison(session.out, facts["comparison"])

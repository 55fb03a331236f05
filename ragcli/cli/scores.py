"""Shows measures to people: tables of figures, problems of a set, what fell below its floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ragcli.cli.output import Output, clean

if TYPE_CHECKING:
    from ragcli.evaluate.questions import Problem, QuestionSet

SHOWN_PROBLEMS = 10


def print_table(out: Output, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns under their names: the first to the left, figures to the right."""
    lines = [[clean(cell, one_line=True) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        out.data(out.faint(text) if number == 0 else text)


def print_modes(out: Output, found: dict[str, Any], primary: str) -> None:
    """One line for each way to search; the first measure with its interval."""
    names = list(next(iter(found["modes"].values()))["measures"])
    rows = []
    for mode, figures in found["modes"].items():
        cells = []
        for name in names:
            low, high = figures["intervals"][name]
            around = f" [{low:.3f}, {high:.3f}]" if name == primary else ""
            cells.append(f"{figures['measures'][name]:.3f}{around}")
        spent = figures["latency_ms"]
        rows.append([mode, *cells, f"{spent['p50']:.0f}", f"{spent['p95']:.0f}"])
    print_table(out, ["", *names, "ms", "p95"], rows)


def heading(questions: QuestionSet, found: dict[str, Any]) -> str:
    """What was asked of what, on one line."""
    embedder = f", {found['embedder']}" if found["embedder"] else ""
    return clean(
        f"{questions.name}: {len(questions.items)} questions on {found['collection']}"
        f" ({found['chunks']:,} chunks{embedder})",
        one_line=True,
    )


def warn_of(out: Output, problems: Sequence[Problem]) -> None:
    """The first problems of a set, and how many there are; all of them with --verbose."""
    shown = len(problems) if out.verbose else SHOWN_PROBLEMS
    for problem in problems[:shown]:
        out.warn(str(problem))
    if len(problems) > shown:
        out.warn(f"{len(problems) - shown} more lines like these; --verbose shows them all.")

"""Shows measures to people: tables of figures, verdicts, problems of a set, the trend of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ragcli.cli.output import Output, clean
from ragcli.cli.render import snippet

if TYPE_CHECKING:
    from ragcli.evaluate.questions import Problem, QuestionSet

SHOWN = 10
"""Problems and flipped questions that are listed without --verbose."""
BLOCKS = "▁▂▃▄▅▆▇█"


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


def print_modes(out: Output, modes: dict[str, Any]) -> None:
    """One line for each way to search; the first measure with its interval."""
    names = list(next(iter(modes.values()))["measures"])
    if not names:
        return
    rows = []
    for mode, figures in modes.items():
        cells = [f"{figures['measures'][name]:.3f}" for name in names]
        low, high = figures["intervals"][names[0]]
        cells[0] += f" [{low:.3f}, {high:.3f}]"
        spent = figures["latency_ms"]
        rows.append([mode, *cells, f"{spent['p50']:.0f}", f"{spent['p95']:.0f}"])
    print_table(out, ["", *names, "ms", "p95"], rows)


def print_answers(out: Output, found: dict[str, Any]) -> None:
    """One line for each measure of answers, with what it was taken over."""
    rows = [
        [name, f"{value:.3f}", "[{:.3f}, {:.3f}]".format(*found["intervals"][name]),
         str(found["questions"][name])]
        for name, value in found["measures"].items()
    ]  # fmt: skip
    out.data("")
    print_table(out, ["answers", "", "95 % interval", "questions"], rows)
    spent = found["latency_ms"]
    out.data(f"milliseconds: {spent['p50']:.0f} median, {spent['p95']:.0f} at the 95th percentile")


def print_comparison(out: Output, found: dict[str, Any]) -> None:
    """The verdict, every measure, and the questions that flipped."""
    rows = [
        [name, f"{one['a']:.3f}", f"{one['b']:.3f}", f"{one['difference']:+.3f}",
         "[{:+.3f}, {:+.3f}]".format(*one["interval"]), f"{one['p']:.3f}", one["verdict"]]
        for name, one in found["measures"].items()
    ]  # fmt: skip
    print_table(
        out, ["", found["a"], found["b"], "B - A", "95 % interval", "p", "verdict of B"], rows
    )
    out.data("")
    out.data(out.bold(clean(found["sentence"])))
    flips = found["flipped"]
    shown = flips if out.verbose else flips[:SHOWN]
    for flip in shown:
        sign = "+" if flip["gained"] else "-"
        ranks = f" (rank {_rank(flip['a'])} to {_rank(flip['b'])})" if _ranked(flip) else ""
        out.data(
            f"{sign} {clean(flip['id'], one_line=True)} {snippet(flip['question'], 90)}{ranks}"
        )
    if len(flips) > len(shown):
        out.data(f"{len(flips) - len(shown)} more questions flipped; --verbose lists them all.")


def _ranked(flip: dict[str, Any]) -> bool:
    return not isinstance(flip["a"], str) and not isinstance(flip["b"], str)


def _rank(value: int | None) -> str:
    return "none" if value is None else str(value)


def print_history(out: Output, records: Sequence[dict[str, Any]]) -> None:
    """One line for each evaluation, oldest first, and the trend of each set below."""
    from ragcli.evaluate.history import way

    rows, trends = [], dict[str, list[float]]()
    for record in records:
        measures = record["modes"].get(record["mode"]) or {}
        first = next(iter(measures), None)
        shown = f"{first} {measures[first]:.3f}" if first else ""
        if first:
            key = f"{record['set']['name']} {way(record)} {first}"
            trends.setdefault(key, []).append(measures[first])
        rows.append([record["time"], record["set"]["name"], way(record), shown])
    print_table(out, ["when", "set", "mode", "result"], rows)
    for name, values in trends.items():
        if len(values) > 1:
            line = "".join(
                BLOCKS[min(int(value * len(BLOCKS)), len(BLOCKS) - 1)] for value in values
            )
            out.data(clean(f"{name}: {line} {values[0]:.3f} to {values[-1]:.3f}"))


def heading(questions: QuestionSet, system: dict[str, Any]) -> str:
    """What was asked of what, on one line."""
    embedder = f", {system['embedder']}" if system["embedder"] else ""
    return clean(
        f"{questions.name}: {len(questions.items)} questions on {system['collection']}"
        f" ({system['chunks']:,} chunks{embedder})",
        one_line=True,
    )


def warn_of(out: Output, problems: Sequence[Problem]) -> None:
    """The first problems of a set, and how many there are; all of them with --verbose."""
    shown = len(problems) if out.verbose else SHOWN
    for problem in problems[:shown]:
        out.warn(str(problem))
    if len(problems) > shown:
        out.warn(f"{len(problems) - shown} more lines like these; --verbose shows them all.")

"""Tables of reStructuredText, drawn as grids or with lines of equals signs, as rows with a header."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.formats.rstinline import reduce
from ragcli.types import Block

_GRID = re.compile(r"\s*+\+(?:[-=]+\+)+$")
_GRID_HEAD = re.compile(r"\s*+\+(?:=+\+)+$")
_SIMPLE = re.compile(r"\s*+=+(?: +=+)+$")
_SIMPLE_SPAN = re.compile(r"\s*+-+(?: +-+)*$")


def end_of(lines: list[str], at: int) -> int | None:
    """The index after the last line of the table that begins at `at`; None where none begins."""
    if _GRID.match(lines[at]):
        end = at + 1
        while end < len(lines) and lines[end].lstrip()[:1] in ("+", "|"):
            end += 1
        return end
    if not _SIMPLE.match(lines[at]):
        return None
    borders = 1
    end = at + 1
    while end < len(lines):
        border = _SIMPLE.match(lines[end])
        borders += bool(border)
        blank_after = end + 1 >= len(lines) or not lines[end + 1]
        if border and blank_after and borders > 1:
            return end + 1
        if not lines[end] and borders > 2:
            return end
        end += 1
    return end if borders > 1 else None


def rows(lines: list[str], first: int, heading: tuple[str, ...]) -> Iterator[Block]:
    """One block for each line of a simple table or each row of a grid, borders left out."""
    grid = _GRID.match(lines[0]) is not None
    header: list[str] = []
    head = _header_end(lines, grid)
    row: list[str] = []
    for index, line in enumerate([*lines, ""]):
        inner = not (
            _GRID.match(line) or _SIMPLE.match(line) or _SIMPLE_SPAN.match(line) or not line
        )
        if inner:
            row.append(reduce(line.strip()))
        if row and (not inner or not grid):
            text, start = "\n".join(row), first + index - (len(row) if not inner else len(row) - 1)
            row = []
            if index <= head:
                header.append(text)
            else:
                above = "\n".join(header) or None
                yield Block(
                    text, "row", heading, lines=(start, start + text.count("\n")), header=above
                )
    if header and head >= len(lines) - 1:
        yield Block("\n".join(header), "row", heading, lines=(first + 1, first + head - 1))


def _header_end(lines: list[str], grid: bool) -> int:
    """The index of the border below the header; 0 where the table has none."""
    if grid:
        return next((at for at, line in enumerate(lines) if _GRID_HEAD.match(line)), 0)
    borders = [at for at, line in enumerate(lines) if _SIMPLE.match(line)]
    return borders[1] if len(borders) > 2 else 0

"""Delimited text: which delimiter it has, and its rows with the lines they stand on.

Quoting is that of RFC 4180. A quote that is not closed within `_LONGEST_CELL` lines is read as a
plain character, so that it never swallows the rest of a file. Knows nothing of headers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ragcli.types import Lines

_DELIMITERS = ("\t", ";", "|", ",")
_LONGEST_CELL = 500
_SAMPLE_ROWS = 50
_SAMPLE_CHARACTERS = 200_000
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')


class Row(NamedTuple):
    """The cells of a row and the lines that it stands on."""

    cells: list[str]
    lines: Lines


def delimiter_of(text: str) -> str:
    """The delimiter that cuts most rows into the same number of cells; a comma where none does.

    Between equals, the comma comes last: decimal commas and prose hold it without meaning it.
    """
    best, best_share = ",", 0.0
    for delimiter in _DELIMITERS:
        sample = islice(rows(text[:_SAMPLE_CHARACTERS], delimiter), _SAMPLE_ROWS)
        widths = Counter(len(row.cells) for row in sample)
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        share = count / max(widths.total(), 1)
        if width > 1 and share > best_share:
            best, best_share = delimiter, share
    return best


def rows(text: str, delimiter: str) -> Iterator[Row]:
    """The rows that are not blank, in order."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        end = _last_line(lines, number, delimiter) if '"' in line else number
        if end is None:
            end, cells = number, [cell.strip('" ') for cell in line.split(delimiter)]
        elif '"' in line:
            cells = _cells("\n".join(lines[number : end + 1]), delimiter)
        else:
            cells = line.split(delimiter)
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield Row(cells, (number + 1, end + 1))
        number = end + 1


def _last_line(lines: list[str], start: int, delimiter: str) -> int | None:
    """The index of the line on which the row ends that begins at `start`; None if a quote stays open."""
    inside = False
    for index in range(start, min(start + _LONGEST_CELL, len(lines))):
        inside = _left_open(lines[index], delimiter, inside)
        if not inside:
            return index
    return None


def _left_open(line: str, delimiter: str, inside: bool) -> bool:
    """Whether a quoted cell is open at the end of a line; `inside`: it was at the start."""
    at = 0
    while True:
        if not inside and line.startswith('"', at):
            inside, at = True, at + 1
        if inside:
            at = line.find('"', at)
            if at < 0:
                return True
            if line.startswith('"', at + 1):
                at += 2
                continue
            inside = False
        at = line.find(delimiter, at) + 1
        if not at:
            return False


def _cells(row: str, delimiter: str) -> list[str]:
    cells: list[str] = []
    at = 0
    while at <= len(row):
        quoted = _QUOTED.match(row, at)
        after = quoted.end() if quoted else at
        end = row.find(delimiter, after)
        end = len(row) if end < 0 else end
        value = quoted[1].replace('""', '"') if quoted else ""
        cells.append(value + row[after:end])
        at = end + len(delimiter)
    return cells

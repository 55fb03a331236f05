"""Tables as text: a row on a line, and which row names the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ragcli.types import Block

_VALUE = re.compile(r"[\W\d_]+|(?:true|false|yes|no|n/?a)", re.IGNORECASE)
_LONGEST_NAME = 80


def row_text(cells: Sequence[str]) -> str:
    """The cells of a row between bars; empty ones at the end are left out."""
    tidy = [" ".join(cell.split()) for cell in cells]
    while tidy and not tidy[-1]:
        tidy.pop()
    return " | ".join(tidy).strip()


def names_columns(cells: Sequence[str]) -> bool:
    """Whether a first row reads like column names: short words in every cell, and no values."""
    tidy = [cell.strip() for cell in cells]
    while tidy and not tidy[-1]:
        tidy.pop()
    named = sum(0 < len(cell) <= _LONGEST_NAME and not _VALUE.fullmatch(cell) for cell in tidy)
    return len(tidy) > 1 and named >= max(2, len(tidy) - 1)


class Rows:
    """Turns the rows of one table, as they come, into blocks with the header of the table.

    The header row gets no block of its own unless nothing follows it: it stands over every chunk.
    """

    def __init__(self) -> None:
        self._first: Block | None = None
        self._header: str | None = None

    def add(self, cells: Sequence[str], block: Block, *, header: bool | None = None) -> list[Block]:
        """The blocks to emit now for a row; `block` is the row's own, its text still to be set.

        The first row of several cells is the header if `header` says so or, by default, if it reads so.
        """
        text = row_text(cells)
        if not text:
            return []
        row = replace(block, text=text, kind="row", header=self._header or None)
        several = sum(map(bool, map(str.strip, cells))) > 1
        if self._header is None and (several or header):
            if names_columns(cells) if header is None else header:
                self._first, self._header = row, text
                return []
            self._header = ""
        self._first = None
        return [row]

    def close(self) -> list[Block]:
        """The header row itself, where no other row followed it."""
        return [self._first] if self._first else []

"""JSON Lines: records with a text field are documents, the others are rows of one document.

The line of a record is cited. A line that is not JSON is passed over, and their number is said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ragcli.errors import ParseError
from ragcli.formats import records
from ragcli.formats.encoding import decode
from ragcli.formats.limits import Limits, fit
from ragcli.types import Block, Parsed

VERSION = 1


class _Bad:
    """The lines that could not be read: how many, and which came first."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0

    def add(self, number: int) -> None:
        self.first = self.first or number
        self.count += 1

    def warnings(self) -> list[str]:
        if not self.count:
            return []
        if self.count == 1:
            return [f"Line {self.first} is not valid JSON and was skipped."]
        return [
            f"{self.count} lines are not valid JSON and were skipped, the first is line {self.first}."
        ]


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a JSON Lines file, one document for each record with a text, one for all other rows.

    Raises ParseError where no line can be read. Warnings come with the last document.
    """
    bad = _Bad()
    rows: list[Block] = []
    held: Parsed | None = None
    for number, value in _values(decode(data), bad):
        record = None
        if isinstance(value, dict):
            record = records.document(value, (number, number), limits)
        if record is None:
            rows += _row(value, number, bad)
            continue
        if held:
            yield held
        held = record
    if rows:
        if held:
            yield held
        blocks, warnings = fit(rows, limits)
        held = Parsed(blocks, warnings=warnings)
    if held is None:
        raise ParseError(
            f"None of its {bad.count} lines is valid JSON." if bad.count else "It is empty."
        )
    held.warnings += bad.warnings()
    yield held


def _values(text: str, bad: _Bad) -> Iterator[tuple[int, object]]:
    """Line number and value of each line that is JSON."""
    number = start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line, start, number = text[start:end].strip(), end + 1, number + 1
        if line:
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                bad.add(number)


def _row(value: object, number: int, bad: _Bad) -> list[Block]:
    try:
        text = records.sentence(value)
    except RecursionError:
        bad.add(number)
        return []
    return [Block(text, "row", lines=(number, number))] if text else []

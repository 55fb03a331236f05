"""CSV and TSV: rows that read as `column: value; column: value`, each with its lines.

A row says its column names itself, so that it can be found and quoted alone and a wide table needs
no repeated header. Where a column holds the text (see `records`) every row is a document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from ragcli.errors import ParseError
from ragcli.formats import records
from ragcli.formats.delimited import Row, delimiter_of, rows
from ragcli.formats.encoding import decode
from ragcli.formats.limits import Limits, fit
from ragcli.types import Block, Parsed

VERSION = 1

_NUMBER = re.compile(r"[-+]?[\d.,:/%€$£ -]*\d[\d.,:/%€$£ -]*$")
_LONGEST_NAME = 100
_SAMPLE_ROWS = 50


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a table as one document, or as one for each row that has a text. ParseError if empty."""
    text = decode(data)
    if not text.strip():
        raise ParseError("It is empty.")
    found = rows(text, delimiter_of(text))
    first = list(islice(found, _SAMPLE_ROWS))
    if not first:
        raise ParseError("Its cells hold no text.")
    at = _header_at(first)
    names = first[at].cells if is_header(first[at].cells) else []
    below = chain(first[at + 1 :], found)
    if records.has_text_field(names):
        yield from _documents(below, names, limits)
    else:
        yield _table(first[: at + 1], below, names, limits)


def _header_at(first: list[Row]) -> int:
    """The index of the header row: the first that is as wide as most rows; titles stand above it."""
    widths = [sum(map(bool, row.cells)) for row in first]
    return widths.index(Counter(widths).most_common(1)[0][0])


def is_header(cells: list[str]) -> bool:
    """Whether the first row names the columns: short, mostly different, and no numbers."""
    named = [cell for cell in cells if cell]
    return (
        len(set(named)) * 2 > len(cells)
        and max(map(len, named)) <= _LONGEST_NAME
        and not any(_NUMBER.match(cell) for cell in named)
    )


def row_text(names: list[str], cells: list[str]) -> str:
    """A row as one line: `column: value` where the column has a name, else the value alone."""
    named = islice([*names, *[""] * len(cells)], len(cells))
    pairs = ((name, " ".join(cell.split())) for name, cell in zip(named, cells, strict=True))
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)


def _table(above: list[Row], found: Iterator[Row], names: list[str], limits: Limits) -> Parsed:
    # The header row is there as it is too: it may be no header, and no text is lost.
    head = (Block(row_text([], row.cells), "row", lines=row.lines) for row in above)
    body = (Block(row_text(names, row.cells), "row", lines=row.lines) for row in found)
    blocks, warnings = fit(chain(head, body), limits)
    return Parsed(blocks, warnings=warnings)


def _documents(found: Iterator[Row], names: list[str], limits: Limits) -> Iterator[Parsed]:
    rest: list[Block] = []
    empty = True
    for row in found:
        fields = dict(zip(names, row.cells, strict=False))
        document = records.document(fields, row.lines, limits)
        if document:
            empty = False
            yield document
        else:
            rest.append(Block(row_text(names, row.cells), "row", lines=row.lines))
    if rest:
        blocks, warnings = fit(rest, limits)
        yield Parsed(blocks, warnings=warnings)
    elif empty:
        raise ParseError("It holds a header and no rows.")

"""Joins the pieces of a chunk to its text and notes where each part of it stands in the source.

Verbatim: what is between two pieces of a block is kept, blocks are joined by a blank line, items
and rows by a line end, and a table's header is set above the first of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ragcli.documents.pieces import Piece
from ragcli.types import Block, Lines, Span

Run = tuple[Piece, int]
"""The first of the pieces that follow one another in a block, and where the last one ends."""


def assemble(pieces: Sequence[Piece]) -> tuple[str, tuple[Span, ...]]:
    """The text of a chunk, and its spans: one a source line where lines are exact, else one a block."""
    parts: list[str] = []
    spans: list[Span] = []
    offset = 0
    before: Block | None = None
    for first, end in _runs(pieces):
        block = first.block
        lead = _separator(before, block)
        if block.header is not None and (before is None or before.header != block.header):
            spans.append(_span(offset + len(lead), block, None))
            lead += f"{block.header}\n"
        offset += len(lead)
        text = block.text[first.start : end]
        spans.extend(_spans(offset, first, text))
        parts += lead, text
        offset += len(text)
        before = block
    return "".join(parts), tuple(_distinct(spans))


def _runs(pieces: Sequence[Piece]) -> Iterator[Run]:
    first, end = pieces[0], pieces[0].end
    for piece in pieces[1:]:
        if piece.block is not first.block or piece.start < end:
            yield first, end
            first = piece
        end = piece.end
    yield first, end


def _separator(before: Block | None, block: Block) -> str:
    if before is None:
        return ""
    return "\n" if before.kind == block.kind and block.kind in ("item", "row") else "\n\n"


def _spans(offset: int, first: Piece, text: str) -> Iterator[Span]:
    """The spans of the text that begins with this piece of a block."""
    block, lines = first.block, first.block.lines
    if lines is None or lines[0] == lines[1] or not first.exact:
        yield _span(offset, block, lines)
        return
    number = lines[0] + first.newlines
    for line in text.split("\n"):
        yield _span(offset, block, (number, number))
        offset += len(line) + 1
        number += 1


def _span(offset: int, block: Block, lines: Lines | None) -> Span:
    return Span(offset, block.page, block.page_label, lines)


def _distinct(spans: list[Span]) -> Iterator[Span]:
    """The spans that begin a new place."""
    last: Span | None = None
    for span in spans:
        if last is None or (span.page, span.page_label, span.lines) != (
            last.page,
            last.page_label,
            last.lines,
        ):
            yield span
            last = span

"""The blocks of an HTML page: pieces of shown text between block-level tags, and table rows.

Sits on the tokens and the open elements; knows the meaning of tags, nothing of files or limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from ragcli.formats.encoding import clean
from ragcli.formats.htmltokens import Token, tokens
from ragcli.formats.htmltree import BLOCKS, OpenElements
from ragcli.formats.outline import Outline
from ragcli.formats.text import solid
from ragcli.types import Block, BlockKind

_HEADING = re.compile(r"h[1-6]$")
_KINDS: dict[str, BlockKind] = {
    **dict.fromkeys(("li", "dd", "dt"), "item"),
    **{"blockquote": "quote", "pre": "code"},
    **{f"h{level}": "heading" for level in range(1, 7)},
}
_CELLS = ("td", "th")
_TABLE_PARTS = ("table", "thead", "tbody", "tfoot", "tr", *_CELLS)
_NO_CELL_TEXT = frozenset(
    ["ul", "ol", "dl", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"]
)
_LONGEST_CELL = 500
_WIDEST_GAP = 3


class _Piece:
    """Text being collected, with one line for each source line; `kind` is what it will become."""

    def __init__(self, kind: BlockKind, level: int = 0) -> None:
        self.kind = kind
        self.level = level
        self.first = self.last = self.size = 0
        self._parts: list[str] = []

    def add(self, text: str, line: int) -> None:
        if not self.size:
            self.first = self.last = line
        self._parts.append("\n" * (line - self.last) + text)
        self.last = line + text.count("\n")
        self.size += len(text)

    def space(self) -> None:
        if self.size:
            self._parts.append(" ")

    def lines(self) -> list[str]:
        lines = "".join(self._parts).split("\n")
        if self.kind == "code":
            return [line.replace("\xa0", " ").rstrip() for line in lines]
        return [" ".join(line.split()) for line in lines]

    def words(self) -> str:
        return " ".join(" ".join(self._parts).split()) if self.size else ""


@dataclass(slots=True)
class _Table:
    """A table being read: its header row, and the cells of the row that is open, if one is."""

    header: Block | None = None
    repeated: bool = False
    cells: list[_Piece] | None = None
    heads: int = 0


class Page:
    """Reads one HTML text; `title` is known once `read` has been exhausted."""

    def __init__(self, heading: tuple[str, ...] = (), first: int = 1) -> None:
        self.title: str | None = None
        self._outline = Outline(heading)
        self._open = OpenElements()
        self._piece = _Piece("paragraph")
        self._tables: list[_Table] = []
        self._preformatted = 0
        self._in_title = False
        self._line = first
        self._at = 0

    def read(self, text: str) -> Iterator[Block]:
        """The blocks of the page in order."""
        for token in tokens(text):
            self._line += text.count("\n", self._at, token.at)
            self._at = token.at
            if token.kind == "text":
                yield from self._text(token.value)
            elif token.kind == "end":
                yield from self._end(token.value)
            elif token.value == "br":
                yield from self._line_break(text, token)
            else:
                yield from self._start(token, text)
        yield from self._flush()
        while self._tables:
            yield from self._end_table()

    def _text(self, raw: str) -> Iterator[Block]:
        if self._in_title:
            self.title = self.title or " ".join(decoded(raw).split()) or None
        if self._in_title or self._open.hidden:
            return
        text, line = decoded(raw), self._line
        if not text.strip():
            if self._piece.kind == "code" and self._piece.size:
                self._piece.add(text, line)
            self._piece.space()
            return
        margin = text[: len(text) - len(text.lstrip())]
        above = margin.count("\n")
        if self._piece.size and line + above - self._piece.last > _WIDEST_GAP and not self._cell:
            yield from self._flush(self._piece.kind)
        if not self._piece.size:
            text, line = text[margin.rfind("\n") + 1 :], line + above
        self._piece.add(text, line)

    def _line_break(self, text: str, token: Token) -> Iterator[Block]:
        """A line break ends a block, so that a line of text never spans two; a space within others."""
        at_line_end = text.startswith("\n", token.end)
        self._piece.space()
        if not (at_line_end or self._cell or self._piece.kind == "heading"):
            yield from self._flush(self._piece.kind)

    def _start(self, token: Token, text: str) -> Iterator[Block]:
        name = token.value
        self._open.start(name, token.attributes)
        self._in_title = name == "title"
        if name == "sup" and self._piece.size and text[token.end : token.end + 1].isalnum():
            self._piece.add("^", self._line)
        if name not in BLOCKS:
            return
        if self._cell and name not in _TABLE_PARTS:
            self._piece.space()
            if name not in _NO_CELL_TEXT and self._piece.size < _LONGEST_CELL:
                return
            yield from self._dissolve()
        yield from self._flush(self._kind_within(name), int(name[1]) if _HEADING.match(name) else 0)
        self._preformatted += name == "pre"
        if name == "table":
            yield from self._dissolve()
            self._tables.append(_Table())
        elif name == "tr" and self._tables:
            yield from self._end_row()
            self._tables[-1].cells = []
        elif name == "th" and self._tables:
            self._tables[-1].heads += 1

    def _end(self, name: str) -> Iterator[Block]:
        self._open.end(name)
        self._in_title = False
        if name not in BLOCKS:
            return
        if self._cell and name not in _TABLE_PARTS:
            self._piece.space()
            return
        if name == "pre":
            self._preformatted = max(self._preformatted - 1, 0)
        yield from self._flush()
        if name == "tr" and self._tables:
            yield from self._end_row()
        elif name == "table" and self._tables:
            yield from self._end_table()

    @property
    def _cell(self) -> bool:
        """Whether text at this point belongs to the cells of an open table row."""
        return bool(self._tables) and self._tables[-1].cells is not None

    def _kind_within(self, name: str) -> BlockKind:
        if self._preformatted:
            return "code"
        # The first paragraph of an item is the item.
        kept = (
            self._piece.kind if not self._piece.size and self._piece.kind != "code" else "paragraph"
        )
        return _KINDS.get(name, kept)

    def _flush(self, kind: BlockKind | None = None, level: int = 0) -> Iterator[Block]:
        """End the piece of text that is being collected, and begin one of this kind."""
        piece = self._piece
        level = level or (piece.level if kind == "heading" and not piece.size else 0)
        self._piece = _Piece(kind or ("code" if self._preformatted else "paragraph"), level)
        if not piece.size:
            return
        cells = self._tables[-1].cells if self._tables else None
        if cells is not None:
            cells.append(piece)
        else:
            yield from self._blocks_of(piece)

    def _blocks_of(self, piece: _Piece) -> Iterator[Block]:
        path = self._outline.path
        if piece.kind == "heading":
            title = piece.words().rstrip("¶ ")
            path = self._outline.enter(piece.level or 6, title) if title else path
        yield from solid(piece.lines(), piece.first, piece.kind, path)

    def _dissolve(self) -> Iterator[Block]:
        """Give up on a row that holds more than words: its cells become paragraphs."""
        if self._tables and self._tables[-1].cells is not None:
            yield from self._flush()
            cells, self._tables[-1].cells = self._tables[-1].cells or [], None
            for piece in cells:
                yield from self._blocks_of(piece)

    def _end_row(self) -> Iterator[Block]:
        table = self._tables[-1]
        cells, table.cells = table.cells or [], None
        heads, table.heads = table.heads, 0
        if len(cells) == 1:
            yield from self._blocks_of(cells[0])
        if len(cells) < 2:
            return
        lines = (cells[0].first, cells[-1].first + len(cells[-1].lines()) - 1)
        header = table.header.text if table.header else None
        words = " | ".join(piece.words() for piece in cells)
        row = Block(words, "row", self._outline.path, lines=lines, header=header)
        if heads == len(cells) and table.header is None:
            table.header = row
        else:
            table.repeated = True
            yield row

    def _end_table(self) -> Iterator[Block]:
        yield from self._end_row()
        table = self._tables.pop()
        if table.header and not table.repeated:
            yield table.header


def decoded(raw: str) -> str:
    """Text with its character references resolved; none of them starts a line."""
    if "&" not in raw:
        return raw
    return "\n".join(_resolved(line) for line in raw.split("\n"))


def _resolved(line: str) -> str:
    try:
        return clean(unescape(line)).replace("\n", " ").replace("\xad", "")
    except ValueError:  # a reference by a number of thousands of digits
        return line

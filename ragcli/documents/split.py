"""Splits a document into chunks that the embedder reads whole: along its structure, never truncated.

A chunk is measured as it will be embedded, title and heading path in front. Those take at most
about a quarter of it; where they would take more, outer headings are left off first and the
innermost last. Chunks of one section are near equal in size. Nothing is lost: every block is in
the text of a chunk, or is a heading that the chunk's path says.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

from ragcli.documents.assemble import assemble
from ragcli.documents.pack import pack
from ragcli.documents.pieces import CHARACTERS_PER_TOKEN, Piece, cut, price, sizes_of, whole
from ragcli.documents.sections import Group, groups, sections
from ragcli.documents.tokens import TokenCounter
from ragcli.types import Block, Chunk, Parsed, SplitDocument, embed_text

VERSION = 1


@dataclass(frozen=True, slots=True)
class SplitterOptions:
    """What decides where chunks end: the tokenizer file, and lengths in its tokens."""

    tokenizer: str
    """Path of the embedder's `tokenizer.json`."""
    max_tokens: int
    """Most tokens of a chunk as it is embedded, special tokens included."""
    overlap: int = 0
    """Tokens of whole sentences repeated from the end of a chunk in the next of its section."""


def describe(options: SplitterOptions) -> str:
    """What the fingerprint of a collection says of its splitter; equal for equal chunks."""
    digest = hashlib.sha256(Path(options.tokenizer).read_bytes()).hexdigest()[:16]
    return f"split/{VERSION} tokens={options.max_tokens} overlap={options.overlap} by={digest}"


class Splitter:
    """Splits documents into chunks of at most `max_tokens`; remembers nothing between documents."""

    def __init__(self, options: SplitterOptions) -> None:
        self._counter = TokenCounter(options.tokenizer)
        self._most = options.max_tokens
        self._overlap = min(options.overlap, options.max_tokens // 2)

    def split(self, parsed: Parsed) -> SplitDocument:
        """The document with its text in chunks, in order; none where it has no text at all."""
        document = self.frame(parsed)
        document.chunks.extend(self.chunks(parsed))
        return document

    def frame(self, parsed: Parsed) -> SplitDocument:
        """The document without its chunks. A title that would fill a chunk is shortened."""
        return SplitDocument(
            [],
            self._title(parsed),
            parsed.doc_id,
            parsed.metadata,
            parsed.page_unit,
            parsed.line_unit,
            parsed.warnings,
        )

    def chunks(self, parsed: Parsed) -> Iterator[Chunk]:
        """The chunks of a document one by one, so that a long one need not be held whole."""
        title = self._title(parsed)
        pieces = whole(_blocks(parsed, title), self._counter, self._most)
        for group in groups(sections(pieces), self._most // 8, self._most // 2):
            yield from self._split(group, title)

    def _split(self, group: Group, title: str | None) -> Iterator[Chunk]:
        shown = self._shown(title, group.path)
        front = self._counter.exact([embed_text(title, shown, "")])[0]
        room = max(self._most - front - self._counter.joint, 1)
        narrow, headers = self._headers(group.pieces(shown), room)
        for before, after in pairwise(narrow):
            after.price = price(before.block, after.block)
        pieces = [part for piece in narrow for part in self._cut(piece, room, headers)]
        yield from self._fit(pieces, room, headers, self._overlap, (title, shown))

    def _cut(self, piece: Piece, room: int, headers: dict[str, int]) -> list[Piece]:
        room = max(room - headers.get(piece.block.header or "", 0), 1)
        overlapping = 0 < self._overlap < piece.cost
        if piece.cost <= room and not overlapping:
            return [piece]
        return cut(piece, self._counter, room, always=int(overlapping))

    def _fit(
        self,
        pieces: list[Piece],
        room: int,
        headers: dict[str, int],
        overlap: int,
        front: tuple[str | None, tuple[str, ...]],
    ) -> Iterator[Chunk]:
        """Chunks of the pieces; one that turns out too long as it is embedded is cut again, smaller."""
        drafts = pack(pieces, room, headers, overlap)
        built = [assemble(draft) for draft in drafts]
        sizes = self._counter.exact([embed_text(*front, text) for text, _ in built])
        for draft, (text, spans), tokens in zip(drafts, built, sizes, strict=True):
            smaller = min(room - (tokens - self._most), room * 3 // 4)
            if tokens <= self._most or smaller < 1:
                yield Chunk(text, front[1], spans, tokens)
                continue
            finer = [part for piece in draft for part in self._cut(piece, smaller, headers)]
            yield from self._fit(finer, smaller, headers, 0, front)

    def _headers(self, pieces: list[Piece], room: int) -> tuple[list[Piece], dict[str, int]]:
        """The pieces, and what each table header costs where it is repeated above its rows.

        A header that takes more than a third of the room stands once above its table instead.
        """
        names = list(dict.fromkeys(p.block.header for p in pieces if p.block.header is not None))
        costs = dict(zip(names, sizes_of(names, self._counter, room), strict=True))
        wide = {name for name, cost in costs.items() if cost * 3 > room}
        if not wide:
            return pieces, costs
        return list(_above(pieces, wide, costs)), costs

    def _title(self, parsed: Parsed) -> str | None:
        """The title, shortened to a quarter of a chunk, or to half of that where there are headings."""
        if not parsed.title:
            return parsed.title
        has_headings = any(block.heading for block in parsed.blocks)
        return self._shortened(parsed.title, self._most // (8 if has_headings else 4))

    def _shown(self, title: str | None, path: tuple[str, ...]) -> tuple[str, ...]:
        """The inner end of a heading path that fits into the quarter of a chunk beside the title."""
        quarter = self._most // 4
        shown = path
        while shown and self._front(title, shown) > quarter:
            if len(shown) == 1:
                short = self._shortened(shown[0], quarter // 2)
                return (short,)
            shown = shown[1:]
        return shown

    def _front(self, title: str | None, shown: tuple[str, ...]) -> int:
        return self._counter.estimate([embed_text(title, shown, "")])[0]

    def _shortened(self, text: str, most: int) -> str:
        """The first words of a text within `most` tokens, or its first letters where no word fits."""
        if sizes_of([text], self._counter, most)[0] <= most:
            return text
        words = text[: most * CHARACTERS_PER_TOKEN].split()
        sums = accumulate(sizes_of(words, self._counter, most))
        kept = bisect_left(list(sums), most)
        return " ".join(words[:kept]) + "…" if kept else text[: max(most, 1)]


def _blocks(parsed: Parsed, title: str | None) -> list[Block]:
    """The blocks that hold text; the title is one where no other has any, or where it was shortened."""
    blocks = [block for block in parsed.blocks if block.text.strip()]
    whole_title = parsed.title or ""
    said = blocks and (title == whole_title or blocks[0].text.strip() == whole_title.strip())
    return blocks if said or not whole_title.strip() else [Block(whole_title), *blocks]


def _above(pieces: Iterable[Piece], wide: set[str], costs: dict[str, int]) -> Iterator[Piece]:
    """The pieces with each wide table header as a paragraph of its own above the table's rows."""
    last: str | None = None
    for piece in pieces:
        header = piece.block.header
        if header is None or header not in wide:
            yield piece
        else:
            if header != last:
                above = replace(piece.block, text=header, kind="paragraph", header=None, lines=None)
                yield Piece(above, 0, len(header), costs[header])
            yield replace(piece, block=replace(piece.block, header=None))
        last = header

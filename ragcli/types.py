"""The plain data that passes between rooms: blocks, chunks, hits. No behaviour beyond reading itself.

Lines, pages and rows are 1-based and inclusive everywhere. Headings are paths, outermost first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PageUnit = Literal["page", "about", "slide", "cell"]
LineUnit = Literal["line", "row"]
BlockKind = Literal["heading", "paragraph", "item", "row", "code", "quote"]
Scalar = str | int | float | bool | None
Lines = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document that a splitter should not cut without need.

    `lines` are the source lines that the text stands on. Where the text has exactly as many
    lines as the range, line i of the text is source line `lines[0] + i`.
    """

    text: str
    kind: BlockKind = "paragraph"
    heading: tuple[str, ...] = ()
    page: int | None = None
    page_label: str | None = None
    lines: Lines | None = None
    header: str | None = None
    """A table's header row, repeated by the splitter at the top of every chunk of its rows."""


@dataclass(slots=True)
class Parsed:
    """One document as a format reader hands it over: a whole file, or one record of it."""

    blocks: list[Block]
    title: str | None = None
    doc_id: str | None = None
    metadata: dict[str, Scalar] = field(default_factory=dict)
    page_unit: PageUnit | None = None
    line_unit: LineUnit = "line"
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Span:
    """Where the text of a chunk stands in its source, from `offset` (in characters) to the next span."""

    offset: int
    page: int | None = None
    page_label: str | None = None
    lines: Lines | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that fits the embedder: the unit of indexing and retrieval."""

    text: str
    heading: tuple[str, ...]
    spans: tuple[Span, ...]
    tokens: int


@dataclass(slots=True)
class SplitDocument:
    """A parsed document with its text already split; what the parsing child sends back."""

    chunks: list[Chunk]
    title: str | None = None
    doc_id: str | None = None
    metadata: dict[str, Scalar] = field(default_factory=dict)
    page_unit: PageUnit | None = None
    line_unit: LineUnit = "line"
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a person can go to: page (or slide, or cell) and lines, each where known."""

    page: int | None = None
    page_label: str | None = None
    lines: Lines | None = None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as the ledger holds it, with what it needs of its document.

    `key` is the ledger's row number (never used twice), `id` the stable UUID that people see.
    `path` is the absolute path of the file, or the bare name of a document read from stdin.
    """

    key: int
    id: str
    document: int
    ordinal: int
    text: str
    heading: tuple[str, ...]
    spans: tuple[Span, ...]
    tokens: int
    path: str
    format: str
    title: str | None
    doc_id: str | None
    page_unit: PageUnit | None
    line_unit: LineUnit
    metadata: Mapping[str, Scalar]

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """The place of `text[start:end]`: first page, and from the first to the last line."""
        return place_of(self.spans, start, len(self.text) if end is None else end)


@dataclass(slots=True)
class Hit:
    """A chunk that retrieval returned, with the reasons: higher scores are better on every scale."""

    chunk: StoredChunk
    score: float
    dense: float | None = None
    lexical: float | None = None
    dense_rank: int | None = None
    lexical_rank: int | None = None
    copies: list[str] = field(default_factory=list)
    """Paths of near-duplicates that this hit stands for."""
    why: str = ""
    fused: float | None = None
    """The score before a reranker gave another."""

    @property
    def retrieved(self) -> float:
        """The score that retrieval alone gave, on one scale whether a reranker followed or not."""
        return self.score if self.fused is None else self.fused


@dataclass(slots=True)
class Citation:
    """A quote that an answer relies on, with the place where a reader finds it."""

    n: int
    chunk: StoredChunk
    quote: str
    place: Place
    score: float
    supported: bool = True


def embed_text(title: str | None, heading: tuple[str, ...], text: str) -> str:
    """The text that is embedded for a chunk: title and heading path in front, each said once."""
    path = heading[1:] if title is not None and heading[:1] == (title,) else heading
    front = ([title] if title else []) + ([" > ".join(path)] if path else [])
    return "\n".join([*front, text])


def place_of(spans: tuple[Span, ...], start: int, end: int) -> Place:
    """Where the characters `start:end` of a chunk stand, read from its spans."""
    if not spans:
        return Place()
    offsets = [span.offset for span in spans]
    first = max(bisect_right(offsets, start) - 1, 0)
    last = max(bisect_right(offsets, max(end - 1, start)) - 1, first)
    covered = [span.lines for span in spans[first : last + 1] if span.lines]
    lines = (min(a for a, _ in covered), max(b for _, b in covered)) if covered else None
    return Place(spans[first].page, spans[first].page_label, lines)

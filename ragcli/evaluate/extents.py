"""Which pages and lines the chunks of a document stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ragcli.types import Lines, Place, StoredChunk


class Reader(Protocol):
    """The part of a ledger that reads chunks."""

    def chunks_of(self, document_id: int) -> list[StoredChunk]:
        """The chunks of a document."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """The first and the last page, and the first and the last line, of a chunk or a stretch of it."""

    pages: tuple[int, int] | None
    lines: Lines | None

    @classmethod
    def of(cls, chunk: StoredChunk, place: Place | None = None) -> Extent:
        """Where a chunk stands, or the stretch of it at `place`."""
        pages = [span.page for span in chunk.spans if span.page is not None]
        if place is not None and place.page is not None:
            pages = [place.page]
        lines = (place or chunk.place()).lines
        return cls((min(pages), max(pages)) if pages else None, lines)

    def on_pages(self, pages: tuple[int, ...]) -> bool:
        """Whether one of these pages is among its own."""
        known = self.pages
        return known is not None and any(known[0] <= page <= known[1] for page in pages)


class Extents:
    """Where the chunks of documents stand; the chunks of each are read once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[int, list[Extent]] = {}

    def of(self, document: int) -> list[Extent]:
        """Where the chunks of one document stand."""
        if document not in self._known:
            chunks = self._reader.chunks_of(document)
            self._known[document] = [Extent.of(chunk) for chunk in chunks]
        return self._known[document]

"""The plain data that goes into the ledger and comes out of it. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ragcli.types import LineUnit, PageUnit, Scalar

FileState = Literal["ready", "failed"]
Operation = Literal["text", "vector", "moved", "gone"]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file before its text is: where it lies and which bytes it holds."""

    path: str
    root: str | None
    size: int
    mtime_ns: int
    digest: str
    format: str
    parser: str
    """Name and version of the reader, such as `pdf/1`: another one means reading again."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of the collection; `chunks` of which `embedded` have their vector."""

    id: int
    path: str
    root: str | None
    size: int
    mtime_ns: int
    digest: str
    format: str
    parser: str
    state: FileState
    error: str | None
    documents: int
    chunks: int
    embedded: int


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document of a file: the whole of it, or one record."""

    id: int
    file: int
    path: str
    format: str
    ordinal: int
    doc_id: str | None
    title: str | None
    page_unit: PageUnit | None
    line_unit: LineUnit
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What a chunk can be found by: its text, its headings and its document's title."""

    chunk: int
    document: int
    first_page: int | None
    last_page: int | None
    title: str
    heading: list[str]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the change log: chunk `chunk` got its text, got its vector, has another id, or is gone."""

    seq: int
    op: Operation
    chunk: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many chunks can be found by their words, and how many of them by their meaning."""

    chunks: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What a filter leaves: these documents, on these pages; None means all of them.

    `pages` is inclusive. A chunk without a page is on no page.
    """

    documents: frozenset[int] | None = None
    pages: tuple[int, int] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is filtered out."""
        return self.documents is None and self.pages is None

"""A request to parse one file, and what comes of it piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ragcli.documents import frames
from ragcli.documents.channel import Channel
from ragcli.errors import ParseError
from ragcli.types import SplitDocument

_HELD_BYTES = 2_000_000
"""What is held of a result that nobody has asked for yet."""


@dataclass(frozen=True, slots=True)
class ParseRequest:
    """A file to read, by its path, or bytes that are there already; no format means: by content."""

    path: str | None
    name: str
    format: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Exactly the bytes that were parsed, and what they were parsed as."""

    digest: str
    """SHA-256, hex."""
    size: int
    mtime_ns: int
    """Time of change in nanoseconds; 0 for bytes that come from no file."""
    format: str
    parser: str
    """Format and version of its reader, as in `pdf/1`."""


class ParseResult:
    """What becomes of one request: it fills while it is read, and is read once.

    Unsupported says that the file is to be skipped, any other ParseError that it failed; both may
    come late, after documents. What a reader or a child printed last is in the error's notes.
    """

    def __init__(self, request: ParseRequest) -> None:
        self.request = request
        self.channel = Channel(_HELD_BYTES)
        """Filled by the pool with the payloads of frames."""
        self._source: Source | None = None

    def source(self) -> Source:
        """What was read; waits for it. Raises ParseError where the file could not be opened."""
        if self._source is None:
            message = self._next() or {}
            try:
                self._source = Source(**message["source"])
            except (KeyError, TypeError):
                raise _nonsense() from None
        return self._source

    def documents(self) -> Iterator[SplitDocument]:
        """The documents of the file, each with its chunks. Raises ParseError, also in the middle."""
        self.source()
        document: SplitDocument | None = None
        while (message := self._next()) is not None:
            try:
                if "document" in message:
                    document = frames.document_of(message["document"])
                document = _extended(document, message)
                whole = not message["more"]
            except (KeyError, TypeError, ValueError):
                raise _nonsense() from None
            if whole:
                yield document
                document = None

    def close(self) -> None:
        """Want no more of it."""
        self.channel.close()

    def _next(self) -> frames.Message | None:
        payload = self.channel.get()
        try:
            return None if payload is None else frames.decode(payload)
        except ValueError:
            raise _nonsense() from None


def _extended(document: SplitDocument | None, message: frames.Message) -> SplitDocument:
    if document is None:
        raise ValueError("chunks of no document")
    document.chunks.extend(map(frames.chunk_of, message["chunks"]))
    return document


def _nonsense() -> ParseError:
    return ParseError("The parser answered with what is no document.")

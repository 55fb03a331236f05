"""What passes between the parent and a parsing child: frames of JSON behind their length, never pickle.

The child's side is hostile once a document has taken it over, so everything that arrives is
checked for size and shape; what does not fit is a ValueError.
"""

from __future__ import annotations

import json
import struct
from typing import Any, get_args

from ragcli.types import Chunk, Lines, LineUnit, PageUnit, Scalar, Span, SplitDocument

LARGEST = 64_000_000
"""Most bytes of a frame; a document travels in as many frames as it needs."""

Message = dict[str, Any]

_LENGTH = struct.Struct(">I")


def encode(message: Message) -> bytes:
    """A message as a frame."""
    payload = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    # File names that are no UTF-8 come as lone surrogates and must arrive as they were.
    body = payload.encode("utf-8", "surrogatepass")
    if len(body) > LARGEST:
        raise ValueError(f"a frame of {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


def take(buffer: bytearray) -> bytes | None:
    """Remove the first whole frame from a buffer and return its payload; None where it is not there yet."""
    if len(buffer) < _LENGTH.size:
        return None
    end = _LENGTH.size + length(buffer)
    if len(buffer) < end:
        return None
    payload = bytes(buffer[_LENGTH.size : end])
    del buffer[:end]
    return payload


def length(head: bytes | bytearray) -> int:
    """The length that the first four bytes of a frame announce."""
    (announced,) = _LENGTH.unpack_from(head)
    if announced > LARGEST:
        raise ValueError(f"a frame of {announced} bytes")
    return int(announced)


def decode(payload: bytes) -> Message:
    """The message of a payload."""
    message = json.loads(payload.decode("utf-8", "surrogatepass"))
    if not isinstance(message, dict):
        raise ValueError("a frame that is no object")
    return message


def describe_document(document: SplitDocument) -> Message:
    """A document without its chunks, as JSON."""
    return {
        "title": document.title,
        "doc_id": document.doc_id,
        "metadata": document.metadata,
        "page_unit": document.page_unit,
        "line_unit": document.line_unit,
        "warnings": document.warnings,
    }


def document_of(message: Message) -> SplitDocument:
    """The document that `describe_document` described, still without chunks."""
    return SplitDocument(
        chunks=[],
        title=_text_or_none(message["title"]),
        doc_id=_text_or_none(message["doc_id"]),
        metadata={str(key): _scalar(value) for key, value in dict(message["metadata"]).items()},
        page_unit=_one_of(message["page_unit"], (None, *get_args(PageUnit))),
        line_unit=_one_of(message["line_unit"], get_args(LineUnit)),
        warnings=[_text(warning) for warning in message["warnings"]],
    )


def describe_chunk(chunk: Chunk) -> list[Any]:
    """A chunk as JSON."""
    spans = [[span.offset, span.page, span.page_label, span.lines] for span in chunk.spans]
    return [chunk.text, chunk.heading, spans, chunk.tokens]


def chunk_of(described: list[Any]) -> Chunk:
    """The chunk that `describe_chunk` described."""
    text, heading, spans, tokens = described
    path = tuple(_text(part) for part in heading)
    return Chunk(_text(text), path, tuple(_span(*span) for span in spans), _number(tokens))


def _span(offset: Any, page: Any, label: Any, lines: Any) -> Span:
    known = None if page is None else _number(page)
    return Span(
        _number(offset), known, _text_or_none(label), None if lines is None else _lines(*lines)
    )


def _lines(first: Any, last: Any) -> Lines:
    return _number(first), _number(last)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} where text was due")
    # Lone surrogates cannot be stored; only file names may have them.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"{type(value).__name__} where a number was due")
    return value


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _text(value)


def _one_of(value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} where one of {allowed} was due")
    return value

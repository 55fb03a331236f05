"""Names that equal those of a clean run: chunk ids, vector keys and checksums. Pure functions."""

from __future__ import annotations

import hashlib
import os
import zlib
from uuid import UUID

NAMESPACE = UUID("6f1f3f8a-6d0c-5b7e-9d55-0c1f2a7b9e41")


def chunk_id(path: str | bytes, document: str, ordinal: int, text: str) -> bytes:
    """The 16 bytes of the UUID (version 5, RFC 9562) of a chunk.

    `document` is the record's own id, or `#` and its place in the file.
    """
    name = b"\0".join((os.fsencode(path), document.encode(), b"%d" % ordinal, text.encode()))
    digest = hashlib.sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
    return UUID(bytes=digest[:16], version=5).bytes


def document_name(doc_id: str | None, ordinal: int) -> str:
    """What tells the documents of one file apart."""
    return doc_id if doc_id is not None else f"#{ordinal}"


def vector_key(text: str) -> bytes:
    """The SHA-256 of the text that is embedded: the same text is embedded once."""
    return hashlib.sha256(text.encode()).digest()


def text_check(text: str, heading: str, spans: str) -> int:
    """The CRC-32 of what a chunk says and where it says it stands."""
    return zlib.crc32("\0".join((text, heading, spans)).encode())


def sound(text: str) -> str:
    """The text with half surrogates, which no encoding can hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

"""Chunks of the ledger as records of a store, complete enough to make a ledger from them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from ragcli.index.ledger import Ledger
from ragcli.stores.records import Record
from ragcli.types import StoredChunk

READ = 1000
DOCUMENT_BITS = 48
_SOURCE = (
    "SELECT c.key, c.first_page, c.last_page, d.ordinal, d.warnings, f.root, f.size, f.mtime_ns,"
    " f.digest, f.parser, f.documents FROM json_each(?) k CROSS JOIN chunks c ON c.key = k.value"
    " JOIN documents d ON d.id = c.document JOIN files f ON f.id = d.file"
)


def records(ledger: Ledger, keys: Sequence[int]) -> Iterator[tuple[int, Record]]:
    """The chunks among these that have a vector, as records, in the order of their keys."""
    import numpy as np

    ordered = sorted(keys)
    for start in range(0, len(ordered), READ):
        found, vectors = ledger.vectors(ordered[start : start + READ])
        chunks = ledger.chunks(found)
        sources = {row[0]: row[1:] for row in ledger.query(_SOURCE, (json.dumps(found),))}
        for key, vector in zip(found, vectors.astype(np.float32), strict=True):
            if key in chunks:
                yield key, _record(chunks[key], vector, sources[key])


def document_number(path: str, ordinal: int) -> int:
    """The number that the records of a document share, whatever ledger they come from."""
    name = f"{path}\0{ordinal}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(name).digest()[: DOCUMENT_BITS // 8], "big")


def _record(chunk: StoredChunk, vector: Any, source: tuple[Any, ...]) -> Record:
    first, last, ordinal, warnings, root, size, mtime_ns, digest, parser, documents = source
    data: dict[str, Any] = {
        "path": chunk.path,
        "root": root,
        "size": size,
        "mtime_ns": mtime_ns,
        "digest": digest,
        "format": chunk.format,
        "parser": parser,
        "documents": documents,
        "document": ordinal,
        "doc_id": chunk.doc_id,
        "title": chunk.title,
        "page_unit": chunk.page_unit,
        "line_unit": chunk.line_unit,
        "ordinal": chunk.ordinal,
        "heading": list(chunk.heading),
        "spans": [[span.offset, span.page, span.page_label, span.lines] for span in chunk.spans],
        "tokens": chunk.tokens,
        "metadata": dict(chunk.metadata),
        "warnings": json.loads(warnings),
    }
    kept = {name: value for name, value in data.items() if value not in (None, [], {})}
    number = document_number(chunk.path, ordinal)
    return Record(chunk.id, vector, chunk.text, number, first, last, kept)

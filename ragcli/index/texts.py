"""Documents and chunks as they are read back: each chunk's text is checked against its CRC."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ragcli.index.database import Database, damaged
from ragcli.index.identity import text_check
from ragcli.index.rows import DocumentRow, Selection, Words
from ragcli.types import Span, StoredChunk

if TYPE_CHECKING:
    import numpy as np

ASKED = 1000
CHUNK = (
    "SELECT c.key, c.id, c.document, c.ordinal, c.text, c.heading, c.spans, c.crc, c.tokens,"
    " f.path, f.format, d.title, d.doc_id, d.page_unit, d.line_unit, d.metadata"
)
JOINED = " JOIN documents d ON d.id = c.document JOIN files f ON f.id = d.file"
WORDS = (
    "SELECT c.key, c.document, c.first_page, c.last_page, d.title, c.heading, c.text, c.spans,"
    " c.crc"
)
DOCUMENT = (
    "SELECT d.id, d.file, f.path, f.format, d.ordinal, d.doc_id, d.title, d.page_unit,"
    " d.line_unit, d.metadata, d.warnings FROM documents d JOIN files f ON f.id = d.file"
    " WHERE f.state = 'ready'"
)


class Texts:
    """The part of the ledger that reads documents and chunks; only published ones are seen."""

    _db: Database

    def documents(self, file_id: int) -> list[DocumentRow]:
        """The documents of a file, in its order."""
        rows = self._db.query(f"{DOCUMENT} AND d.file = ? ORDER BY d.ordinal", (file_id,))
        return [self._document(row) for row in rows]

    def document(self, document_id: int) -> DocumentRow | None:
        """One document."""
        rows = self._db.query(f"{DOCUMENT} AND d.id = ?", (document_id,))
        return self._document(rows[0]) if rows else None

    def chunks(self, keys: Sequence[int]) -> dict[int, StoredChunk]:
        """The chunks with these keys, leaving out those that are gone.

        Raises CollectionDamaged when a text is not the one that was stored.
        """
        rows = self._db.query(
            f"{CHUNK} FROM json_each(?) k CROSS JOIN chunks c ON c.key = k.value{JOINED}"
            " WHERE f.state = 'ready'",
            (json.dumps([int(key) for key in keys]),),
        )
        return {row[0]: self._chunk(row) for row in rows}

    def words(self, keys: Sequence[int]) -> list[Words]:
        """What the lexical index needs of these chunks, in order of their keys."""
        rows = self._db.query(
            f"{WORDS} FROM json_each(?) k CROSS JOIN chunks c ON c.key = k.value{JOINED}"
            " WHERE f.state = 'ready' ORDER BY c.key",
            (json.dumps([int(key) for key in keys]),),
        )
        for row in rows:
            self._verify(row[0], *row[5:])
        return [
            Words(row[0], row[1], row[2], row[3], row[4] or "", json.loads(row[5]), row[6])
            for row in rows
        ]

    def chunk_by_id(self, id: str) -> StoredChunk | None:
        """The chunk that people know by this UUID."""
        name = _name(id)
        if name is None:
            return None
        rows = self._db.query(
            f"{CHUNK} FROM chunks c{JOINED} WHERE c.id = ? AND f.state = 'ready' LIMIT 1", (name,)
        )
        return self._chunk(rows[0]) if rows else None

    def keys_of(self, ids: Sequence[str]) -> dict[str, list[int]]:
        """The keys of the chunks with each of these UUIDs, ascending; unknown ids are left out."""
        found: dict[str, list[int]] = {}
        for start in range(0, len(ids), ASKED):
            names = [name for id in ids[start : start + ASKED] if (name := _name(id))]
            rows = self._db.query(
                f"SELECT c.id, c.key FROM chunks c{JOINED} WHERE f.state = 'ready'"  # noqa: S608
                f" AND c.id IN ({','.join('?' * len(names))}) ORDER BY c.key",
                names,
            )
            for name, key in rows:
                found.setdefault(str(UUID(bytes=name)), []).append(key)
        return found

    def chunks_of(
        self, document_id: int, first: int = 0, last: int | None = None
    ) -> list[StoredChunk]:
        """Chunks of a document by ordinal, from `first` up to and including `last`."""
        rows = self._db.query(
            f"{CHUNK} FROM chunks c{JOINED} WHERE c.document = ? AND c.ordinal >= ?"
            " AND c.ordinal <= ? AND f.state = 'ready' ORDER BY c.ordinal",
            (document_id, first, 2**62 if last is None else last),
        )
        return [self._chunk(row) for row in rows]

    def neighbours(
        self, chunk: StoredChunk, before: int = 1, after: int = 1
    ) -> tuple[list[StoredChunk], list[StoredChunk]]:
        """The chunks of the same document that come right before and right after."""
        around = self.chunks_of(
            chunk.document, max(chunk.ordinal - before, 0), chunk.ordinal + after
        )
        return (
            [other for other in around if other.ordinal < chunk.ordinal],
            [other for other in around if other.ordinal > chunk.ordinal],
        )

    def selected_keys(self, selection: Selection) -> np.ndarray:
        """The keys of the chunks that a selection leaves, ascending, int64 (n,)."""
        import numpy as np

        conditions, values = ["f.state = 'ready'"], list[object]()
        if selection.documents is not None:
            conditions.append("c.document IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(sorted(selection.documents)))
        if selection.pages is not None:
            conditions.append("c.last_page >= ? AND c.first_page <= ?")
            values.extend(selection.pages)
        rows = self._db.query(
            f"SELECT c.key FROM chunks c{JOINED}"  # noqa: S608
            f" WHERE {' AND '.join(conditions)} ORDER BY c.key",
            values,
        )
        return np.fromiter((row[0] for row in rows), np.int64, len(rows))

    def _chunk(self, row: tuple[Any, ...]) -> StoredChunk:
        key, id, document, ordinal, text, heading, spans, crc, tokens = row[:9]
        self._verify(key, heading, text, spans, crc)
        path, format, title, doc_id, page_unit, line_unit, metadata = row[9:]
        return StoredChunk(
            key=key,
            id=str(UUID(bytes=id)),
            document=document,
            ordinal=ordinal,
            text=text,
            heading=tuple(json.loads(heading)),
            spans=tuple(_span(*span) for span in json.loads(spans)),
            tokens=tokens,
            path=path,
            format=format,
            title=title,
            doc_id=doc_id,
            page_unit=page_unit,
            line_unit=line_unit,
            metadata=self._json(metadata),
        )

    def _verify(self, key: int, heading: str, text: str, spans: str, crc: int) -> None:
        try:
            same = text_check(text, heading, spans) == crc
        except (ValueError, TypeError):
            same = False
        if not same:
            raise damaged(self._db.path, f"the text of chunk {key} has changed")

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError) as error:
            raise damaged(self._db.path, "the facts of a document have changed") from error

    def _document(self, row: tuple[Any, ...]) -> DocumentRow:
        id, file, path, format, ordinal, doc_id, title, page_unit, line_unit, metadata, warnings = (
            row
        )
        return DocumentRow(
            id,
            file,
            path,
            format,
            ordinal,
            doc_id,
            title,
            page_unit,
            line_unit,
            self._json(metadata),
            tuple(self._json(warnings)),
        )


def _name(id: str) -> bytes | None:
    try:
        return UUID(id).bytes
    except ValueError:
        return None


def _span(offset: int, page: int | None, label: str | None, lines: tuple[int, int] | None) -> Span:
    return Span(offset, page, label, (lines[0], lines[1]) if lines else None)

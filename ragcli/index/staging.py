"""How a new version of a file comes in: staged in batches out of sight, then published at once.

Does not read files and does not embed. Memory and lock times stay the same for a file of one
chunk and one of a hundred thousand; a crash leaves staged rows, which `discard_staged` removes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from ragcli.index.database import Database
from ragcli.index.identity import chunk_id, document_name, sound, text_check, vector_key
from ragcli.index.replacing import (
    embedded,
    insert_file,
    log_text,
    log_vectors,
    retire_path,
    sweep,
)
from ragcli.index.rows import FileFacts
from ragcli.types import Chunk, SplitDocument, embed_text

BATCH = 512
BATCH_CHARACTERS = 1_000_000


@dataclass(slots=True)
class _Staged:
    facts: FileFacts
    file: int | None = None
    documents: int = 0
    chunks: int = 0
    waiting: list[SplitDocument] = field(default_factory=list)
    waiting_chunks: int = 0
    waiting_characters: int = 0


class Staging:
    """The part of the ledger that writes files, their documents and their chunks."""

    _db: Database
    _staged: dict[int, _Staged]

    def stage(self, facts: FileFacts) -> int:
        """Begin a new version of a file; the number names it until it is published."""
        ticket = max(self._staged, default=0) + 1
        self._staged[ticket] = _Staged(facts)
        return ticket

    def add_document(self, staged: int, document: SplitDocument) -> None:
        """Add the next document of a staged file; written in batches, in transactions of their own."""
        version = self._staged[staged]
        version.waiting.append(document)
        version.waiting_chunks += 1 + len(document.chunks)
        version.waiting_characters += sum(len(chunk.text) for chunk in document.chunks)
        if version.waiting_chunks >= BATCH or version.waiting_characters >= BATCH_CHARACTERS:
            self._write(version)

    def publish(
        self,
        staged: int,
        *,
        digest: str | None = None,
        size: int | None = None,
        mtime_ns: int | None = None,
    ) -> int:
        """Put the staged version in the place of what its path held; returns its number of chunks.

        What the parser saw of the file (digest, size, mtime) corrects what was known before.
        """
        version = self._staged[staged]
        with self._db.transaction():
            self._write(version)
            file = version.file or self._insert_file(version)
            retire_path(self._db, version.facts.path)
            log_text(self._db, file)
            log_vectors(self._db, file)
            self._db.run(
                "UPDATE files SET state = 'ready', documents = ?, chunks = ?, embedded = ?,"
                " digest = coalesce(?, digest), size = coalesce(?, size),"
                " mtime_ns = coalesce(?, mtime_ns) WHERE id = ?",
                (
                    version.documents,
                    version.chunks,
                    embedded(self._db, file),
                    digest,
                    size,
                    mtime_ns,
                    file,
                ),
            )
        del self._staged[staged]
        sweep(self._db, "retired")
        return version.chunks

    def abandon(self, staged: int) -> None:
        """Forget a staged version; what its path held stays."""
        version = self._staged.pop(staged)
        if version.file is not None:
            with self._db.transaction():
                self._db.run("UPDATE files SET state = 'retired' WHERE id = ?", (version.file,))
            sweep(self._db, "retired")

    def copy(self, facts: FileFacts, source_file: int) -> int:
        """Give a path the documents of another file with the same bytes, without parsing."""
        ticket = self.stage(facts)
        version = self._staged[ticket]
        last = -1
        while rows := self._db.query(
            "SELECT id, ordinal FROM documents WHERE file = ? AND ordinal > ?"
            " ORDER BY ordinal LIMIT ?",
            (source_file, last, BATCH),
        ):
            with self._db.transaction():
                self._copy_documents(version, source_file, last, rows[-1][1])
            last = rows[-1][1]
        return self.publish(ticket)

    def discard_staged(self) -> None:
        """Sweep away what a crash left behind; only the one writer may call this."""
        self._staged.clear()
        sweep(self._db, "staged")
        sweep(self._db, "retired")

    def _write(self, version: _Staged) -> None:
        documents, version.waiting = version.waiting, []
        version.waiting_chunks = version.waiting_characters = 0
        if not documents:
            return
        if len(documents) == 1:
            self._insert_document(version, documents[0])
            return
        with self._db.transaction():
            for document in documents:
                self._insert_document(version, document)

    def _insert_file(self, version: _Staged) -> int:
        version.file = insert_file(self._db, version.facts)
        return version.file

    def _insert_document(self, version: _Staged, document: SplitDocument) -> None:
        title = sound(document.title) if document.title is not None else None
        doc_id = sound(document.doc_id) if document.doc_id is not None else None
        name = document_name(doc_id, version.documents)
        with self._db.transaction():
            file = version.file or self._insert_file(version)
            row = self._db.run(
                "INSERT INTO documents (file, ordinal, doc_id, title, page_unit, line_unit,"
                " metadata, warnings) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file,
                    version.documents,
                    doc_id,
                    title,
                    document.page_unit,
                    document.line_unit,
                    _json(document.metadata),
                    _json(document.warnings),
                ),
            )
        for start in range(0, len(document.chunks), BATCH):
            batch = document.chunks[start : start + BATCH]
            rows = [
                _chunk_row(version.facts.path, name, row, start + number, title, chunk)
                for number, chunk in enumerate(batch)
            ]
            with self._db.transaction():
                self._insert_chunks(rows)
        version.documents += 1
        version.chunks += len(document.chunks)

    def _insert_chunks(self, rows: list[tuple[object, ...]]) -> None:
        self._db.run_many(
            "INSERT OR IGNORE INTO vectors (key) VALUES (?)", ((row[-1],) for row in rows)
        )
        self._db.run_many(
            "INSERT INTO chunks (id, document, ordinal, first_page, last_page, tokens, heading,"
            " spans, crc, text, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
            " (SELECT id FROM vectors WHERE key = ?))",
            rows,
        )

    def _copy_documents(self, version: _Staged, source: int, after: int, upto: int) -> None:
        file = version.file or self._insert_file(version)
        bounds = (after, upto)
        version.documents += self._db.count(
            "INSERT INTO documents (file, ordinal, doc_id, title, page_unit, line_unit, metadata,"
            " warnings) SELECT ?, ordinal, doc_id, title, page_unit, line_unit, metadata, warnings"
            " FROM documents WHERE file = ? AND ordinal > ? AND ordinal <= ? ORDER BY ordinal",
            (file, source, *bounds),
        )
        version.chunks += self._db.count(
            "INSERT INTO chunks (id, document, ordinal, vector, first_page, last_page, tokens,"
            " heading, spans, crc, text)"
            " SELECT chunk_id(?, coalesce(n.doc_id, '#' || n.ordinal), c.ordinal, c.text), n.id,"
            " c.ordinal, c.vector, c.first_page, c.last_page, c.tokens, c.heading, c.spans, c.crc,"
            " c.text FROM documents o JOIN documents n ON n.file = ? AND n.ordinal = o.ordinal"
            " JOIN chunks c ON c.document = o.id"
            " WHERE o.file = ? AND o.ordinal > ? AND o.ordinal <= ? ORDER BY o.ordinal, c.ordinal",
            (os.fsencode(version.facts.path), file, source, *bounds),
        )


def _chunk_row(
    path: str, name: str, document: int, ordinal: int, title: str | None, chunk: Chunk
) -> tuple[object, ...]:
    text = sound(chunk.text)
    path_of_headings = tuple(sound(part) for part in chunk.heading)
    heading = json.dumps(path_of_headings, ensure_ascii=False)
    spans = json.dumps(
        [(span.offset, span.page, span.page_label, span.lines) for span in chunk.spans],
        separators=(",", ":"),
    )
    pages = [span.page for span in chunk.spans if span.page is not None]
    return (
        chunk_id(path, name, ordinal, text),
        document,
        ordinal,
        min(pages, default=None),
        max(pages, default=None),
        chunk.tokens,
        heading,
        spans,
        text_check(text, heading, spans),
        text,
        vector_key(embed_text(title, path_of_headings, text)),
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))

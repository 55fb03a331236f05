"""The files and roots of a collection: which there are, what is known of each, where they moved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from ragcli.index.database import Database
from ragcli.index.identity import sound
from ragcli.index.replacing import insert_file, log_moved, retire, retire_path, sweep
from ragcli.index.rows import FileFacts, FileRow

PAGE = 1000
COLUMNS = (
    "id, path, root, size, mtime_ns, digest, format, parser, state, error,"
    " documents, chunks, embedded"
)


class Files:
    """The part of the ledger that answers for files."""

    _db: Database

    def roots(self) -> list[str]:
        """The folders and files that were ingested, in order of their paths."""
        return [row[0] for row in self._db.query("SELECT path FROM roots ORDER BY path")]

    def add_root(self, path: str) -> None:
        """Remember a path that was ingested."""
        with self._db.transaction():
            self._db.run(
                "INSERT OR IGNORE INTO roots VALUES (CAST(? AS TEXT))", (os.fsencode(path),)
            )

    def remove_root(self, path: str) -> None:
        """Forget a root; its files stay."""
        with self._db.transaction():
            self._db.run("DELETE FROM roots WHERE path = CAST(? AS TEXT)", (os.fsencode(path),))

    def files(self, under: str | None = None) -> Iterator[FileRow]:
        """Files in order of their paths: all, or the one at `under` and those below it.

        No lock is held between rows, so that the ledger may be changed meanwhile.
        """
        after = b""
        while rows := self._page(after, under):
            for row in rows:
                yield FileRow(*row)
            after = os.fsencode(rows[-1][1])

    def file(self, path: str) -> FileRow | None:
        """The file at this path."""
        return self._one("path = CAST(? AS TEXT)", os.fsencode(path))

    def file_by_digest(self, digest: str) -> FileRow | None:
        """A readable file with these bytes."""
        return self._one("digest = ? AND state = 'ready'", digest)

    def move(self, file_id: int, facts: FileFacts) -> None:
        """A file lies somewhere else now; its chunks get the ids that this path gives them."""
        path = os.fsencode(facts.path)
        with self._db.transaction():
            retire_path(self._db, facts.path, but=file_id)
            self._db.run(
                "UPDATE files SET path = CAST(? AS TEXT), root = CAST(? AS TEXT), size = ?,"
                " mtime_ns = ? WHERE id = ?",
                (
                    path,
                    os.fsencode(facts.root) if facts.root is not None else None,
                    facts.size,
                    facts.mtime_ns,
                    file_id,
                ),
            )
            self._db.run(
                "UPDATE chunks SET id = (SELECT chunk_id(?, coalesce(d.doc_id, '#' || d.ordinal),"
                " chunks.ordinal, chunks.text) FROM documents d WHERE d.id = chunks.document)"
                " WHERE document IN (SELECT id FROM documents WHERE file = ?)",
                (path, file_id),
            )
            log_moved(self._db, file_id)
        sweep(self._db, "retired")

    def touch(self, file_id: int, size: int, mtime_ns: int) -> None:
        """The same bytes were written again."""
        with self._db.transaction():
            self._db.run(
                "UPDATE files SET size = ?, mtime_ns = ? WHERE id = ?", (size, mtime_ns, file_id)
            )

    def fail(self, facts: FileFacts, error: str) -> None:
        """Record that a file could not be read; what its path held is removed."""
        with self._db.transaction():
            retire_path(self._db, facts.path)
            file = insert_file(self._db, facts)
            self._db.run(
                "UPDATE files SET state = 'failed', error = ? WHERE id = ?", (sound(error), file)
            )
        sweep(self._db, "retired")

    def remove(self, file_ids: Iterable[int]) -> None:
        """Remove files with all that came from them."""
        with self._db.transaction():
            for file in file_ids:
                retire(self._db, file)
        sweep(self._db, "retired")

    def _page(self, after: bytes, under: str | None) -> list[tuple[Any, ...]]:
        condition, values = "", []
        if under is not None:
            path = os.fsencode(under)
            folder = path.rstrip(b"/") + b"/"
            condition = (
                " AND (path = CAST(? AS TEXT)"
                " OR (path >= CAST(? AS TEXT) AND path < CAST(? AS TEXT)))"
            )
            values = [path, folder, folder[:-1] + b"0"]
        return self._db.query(
            f"SELECT {COLUMNS} FROM files WHERE state IN ('ready', 'failed')"  # noqa: S608
            f" AND path > CAST(? AS TEXT){condition} ORDER BY path LIMIT {PAGE}",
            (after, *values),
        )

    def _one(self, condition: str, value: str | bytes) -> FileRow | None:
        rows = self._db.query(
            f"SELECT {COLUMNS} FROM files WHERE {condition}"  # noqa: S608
            " AND state IN ('ready', 'failed') ORDER BY id LIMIT 1",
            (value,),
        )
        return FileRow(*rows[0]) if rows else None

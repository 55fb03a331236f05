"""The ledger of a collection: one SQLite file that is the truth about documents, chunks and vectors.

Every index is derived from it and follows its change log. One process writes at a time (see
`lock`); any number read, and none ever sees half a publish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ragcli.errors import CollectionDamaged
from ragcli.index.database import Database
from ragcli.index.files import Files
from ragcli.index.rows import Change
from ragcli.index.staging import Staging
from ragcli.index.texts import Texts
from ragcli.index.vectors import Vectors

CHECKED = 1000
COMPACT = 6


class Ledger(Files, Staging, Texts, Vectors):
    """All that a collection knows.

    Raises StorageError when the disk is full or not writable, CollectionDamaged when the file is
    not what was written, CollectionBusy when another process holds it for too long.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self._db = Database(path, readonly=readonly)
        self._staged = {}
        self.path = path
        self.readonly = readonly

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def meta(self, key: str) -> str | None:
        """A fact about the whole collection, such as its fingerprint."""
        value = self._db.value("SELECT value FROM meta WHERE key = ?", (key,))
        return None if value is None else str(value)

    def set_meta(self, key: str, value: str) -> None:
        """Keep a fact about the whole collection."""
        with self._db.transaction():
            self._db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit the small transactions inside in groups; each stays all or nothing.

        For many small files: a commit waits for the disk. What was done is committed at the
        latest a second after it, with the next change, and at the end, even after an exception.
        """
        with self._db.group():
            yield

    def changes(self, after: int, limit: int) -> list[Change]:
        """The next lines of the change log after a position."""
        self._settled()
        rows = self._db.query(
            "SELECT seq, op, chunk FROM changes WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )
        return [Change(seq, op if chunk > 0 else "moved", abs(chunk)) for seq, op, chunk in rows]

    def position(self) -> int:
        """The last line of the change log; an index that has read it is level."""
        self._settled()
        return int(self._db.value("SELECT seq FROM sqlite_sequence WHERE name = 'changes'") or 0)

    def floor(self) -> int:
        """Lines up to this one are no longer all in the log: an index behind it starts anew."""
        return int(self.meta("floor") or 0)

    def compact(self) -> None:
        """Forget what the log says of chunks that are gone, once that is most of it."""
        position = self.position()
        if position - self.floor() <= COMPACT * self.coverage().chunks + CHECKED:
            return
        with self._db.transaction():
            self._db.run("DELETE FROM changes WHERE chunk NOT IN (SELECT key FROM chunks)")
            self.set_meta("floor", str(position))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a SELECT over the tables in `schema`; files count when their state is 'ready'."""
        return self._db.query(sql, parameters)

    def check(self) -> list[str]:
        """What is wrong with the ledger, a sentence each; reads all of it."""
        try:
            found = [row[0] for row in self._db.query("PRAGMA integrity_check") if row[0] != "ok"]
            if self._db.query("PRAGMA foreign_key_check"):
                found.append("rows refer to rows that are not there")
        except CollectionDamaged as error:
            return [error.message]
        return found + self._check_content()

    def _check_content(self) -> list[str]:
        found, after = [], 0
        while rows := self._db.query(
            "SELECT key FROM chunks WHERE key > ? ORDER BY key LIMIT ?", (after, CHECKED)
        ):
            keys = [row[0] for row in rows]
            after = keys[-1]
            for part in (self.chunks, self.vectors):
                try:
                    part(keys)
                except CollectionDamaged as error:
                    found.append(error.message)
        return found

    def _settled(self) -> None:
        if self._db.unsettled:
            raise RuntimeError("an index must not follow what the ledger has not committed")

"""What a store elsewhere is known to hold: ids by chunk, and the position of the ledger it reached.

A file of its own beside the ledger, which can be lost: then the store is asked what it holds. A
record is written down before it is sent and struck out after it was erased, so the store never
holds more than is written here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ragcli.errors import StorageError

TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (id TEXT PRIMARY KEY, chunk INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_chunk ON sent (chunk);
"""


class Mirror:
    """One store's mirror. Only the one writer of the collection changes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def position(self) -> int:
        """The position of the ledger up to which everything was sent."""
        return int(self._fact("position") or 0)

    @property
    def embedder(self) -> str:
        """Which vectors were sent: those of one embedder, computed in one go."""
        return self._fact("embedder")

    def reached(self, position: int) -> None:
        """Everything up to this position is in the store."""
        with self._writing() as db:
            _put(db, {"position": str(position)})

    def begin(self, embedder: str, rows: Mapping[str, int] | None = None) -> None:
        """Begin anew: the store holds these ids, or nothing."""
        with self._writing() as db:
            db.execute("DELETE FROM sent")
            db.executemany("INSERT INTO sent VALUES (?, ?)", (rows or {}).items())
            _put(db, {"position": "0", "embedder": embedder})

    def intend(self, rows: Iterable[tuple[str, int]]) -> None:
        """These ids are about to be sent for these chunks."""
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?)", rows)

    def erased(self, ids: Sequence[str]) -> None:
        """These ids are no longer in the store."""
        with self._writing() as db:
            db.executemany("DELETE FROM sent WHERE id = ?", ((id,) for id in ids))

    def count(self) -> int:
        """How many records the store should hold."""
        return int(self._query("SELECT count(*) FROM sent")[0][0]) if self._there else 0

    def ids_of(self, chunks: Sequence[int]) -> list[str]:
        """The ids that were sent for these chunks and for no later one."""
        rows = self._query(
            "SELECT s.id FROM json_each(?) k CROSS JOIN sent s ON s.chunk = k.value",
            (json.dumps(list(chunks)),),
        )
        return [row[0] for row in rows]

    def ids(self) -> set[str]:
        """All ids that the store should hold."""
        return {row[0] for row in self._query("SELECT id FROM sent")}

    def chunks_of(self, ids: Sequence[str]) -> list[int]:
        """The chunks for which these ids were sent, ascending."""
        rows = self._query(
            "SELECT chunk FROM sent WHERE id IN (SELECT value FROM json_each(?)) ORDER BY chunk",
            (json.dumps(list(ids)),),
        )
        return [row[0] for row in rows]

    @property
    def _there(self) -> bool:
        return self._opened is not None or self.path.exists()

    def _fact(self, name: str) -> str:
        rows = self._query("SELECT value FROM facts WHERE name = ?", (name,)) if self._there else []
        return str(rows[0][0]) if rows else ""

    def _query(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._lost(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.DatabaseError as error:
            raise self._lost(error) from error

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            self.path.touch(mode=0o600)
            db = sqlite3.connect(self.path, timeout=30)
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(TABLES)
            self._opened = db
        return self._opened

    def _lost(self, error: sqlite3.Error) -> StorageError:
        return StorageError(
            f"What was sent to the store cannot be noted in {self.path} ({error}).",
            f"Make room; or delete the file, then run: ragcli sync. It is {self.path}.",
        )


def _put(db: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

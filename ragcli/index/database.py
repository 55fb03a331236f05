"""The SQLite file under the ledger: how it is opened, its transactions, and its failures in words.

Knows nothing of what the tables mean. Rollback journal with `synchronous=FULL`: what was
committed survives a power cut, and no version of SQLite has the write-ahead log's reset bug here.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ragcli.errors import CollectionBusy, CollectionDamaged, RagcliError, StorageError
from ragcli.index import schema
from ragcli.index.identity import chunk_id

BUSY_SECONDS = 30.0
GROUP_SECONDS = 1.0
GROUP_SIZE = 64


class Database:
    """One connection to the ledger's file, shared by the threads of a process one at a time."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self.readonly = readonly
        self._lock = threading.RLock()
        self._depth = 0
        self._grouped: int | None = None
        self._since = 0.0
        with self._in_words():
            self._connection = self._connect()
            self._prepare()

    def close(self) -> None:
        """Let go of the file; what was not committed is rolled back."""
        self._connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a SELECT; the read lock is gone when this returns."""
        with self._lock, self._in_words():
            return self._connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        rows = self.query(sql, parameters)
        return rows[0][0] if rows else None

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute a statement inside a transaction; the number of the row it inserted."""
        with self._in_words():
            return self._connection.execute(sql, parameters).lastrowid or 0

    def count(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute a statement inside a transaction; how many rows it touched."""
        with self._in_words():
            return self._connection.execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once for each row, inside a transaction."""
        with self._in_words():
            self._connection.executemany(sql, rows)

    @property
    def unsettled(self) -> bool:
        """Whether something was written that is not committed yet."""
        return self._connection.in_transaction

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside `group` the commit is put off, and a failure undoes only this."""
        with self._lock:
            if self._depth:
                yield
                return
            self._begin()
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                self._undo()
                raise
            self._depth -= 1
            self._done()

    @contextmanager
    def group(self) -> Iterator[None]:
        """Commit the transactions inside together, every second or 64 of them: an fsync is slow."""
        if self._grouped is not None:
            yield
            return
        self._grouped = 0
        try:
            yield
        finally:
            self._grouped = None
            with self._lock:
                self._commit()

    def _begin(self) -> None:
        with self._in_words():
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
                self._since = time.monotonic()
            if self._grouped is not None:
                self._connection.execute("SAVEPOINT one")

    def _undo(self) -> None:
        if not self._connection.in_transaction:
            return
        with self._in_words():
            if self._grouped is None:
                self._connection.execute("ROLLBACK")
            else:
                self._connection.execute("ROLLBACK TO one")
                self._connection.execute("RELEASE one")

    def _done(self) -> None:
        if self._grouped is None:
            self._commit()
            return
        with self._in_words():
            self._connection.execute("RELEASE one")
        self._grouped += 1
        if self._grouped >= GROUP_SIZE or time.monotonic() - self._since > GROUP_SECONDS:
            self._commit()
            self._grouped = 0

    def _commit(self) -> None:
        if not self._connection.in_transaction:
            return
        try:
            with self._in_words():
                self._connection.execute("COMMIT")
        except RagcliError:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _connect(self) -> sqlite3.Connection:
        if not self.readonly:
            _create_private(self.path)
        mode = "ro" if self.readonly else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = _text
        connection.create_function("chunk_id", 4, chunk_id, deterministic=True)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        return connection

    def _prepare(self) -> None:
        before = self.path.stat().st_size
        if self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            # A creation that was cut short is rolled back to nothing by the first look.
            if self.readonly or (before and self.path.stat().st_size):
                raise damaged(self.path, "it is empty")
            self._create()
        found = self._connection.execute("SELECT value FROM meta WHERE key='schema'").fetchone()
        if found is None or not found[0].isdigit():
            raise damaged(self.path, "it does not say which version it has")
        if int(found[0]) > schema.VERSION:
            raise StorageError(
                f"The collection in {self.path.parent} was written by a newer ragcli "
                f"(version {found[0]} of its tables, this one knows {schema.VERSION}).",
                "Upgrade ragcli, or choose another collection with --collection.",
            )

    def _create(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        if self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            for statement in schema.TABLES.split(";"):
                self._connection.execute(statement)
            self._connection.execute("INSERT INTO meta VALUES ('schema', ?)", (schema.VERSION,))
        self._connection.execute("COMMIT")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            told = in_words(error, self.path)
            if told is None:
                raise
            raise told from error
        except UnicodeDecodeError as error:  # of a table's own definition
            raise damaged(self.path, "it is not text where text should be") from error


def in_words(error: sqlite3.Error, path: Path) -> RagcliError | None:
    """The error that a person understands, or None when it is a bug of ours."""
    name = getattr(error, "sqlite_errorname", "")
    folder = path.parent
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path, str(error))
    if name == "SQLITE_FULL":
        return StorageError(
            f"The disk that holds {folder} is full; what was committed before is kept.",
            "Free some space and run the command again.",
        )
    if name.startswith("SQLITE_READONLY"):
        return StorageError(
            f"The collection in {folder} is read-only.",
            f"Make {folder} writable, or choose another with --data-dir.",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return CollectionBusy(
            f"Another process has kept the ledger in {folder} locked for {BUSY_SECONDS:.0f} s.",
            "Wait for it to end and run the command again.",
        )
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return StorageError(
            f"The ledger {path} cannot be read or written ({error}).",
            "Check the disk, its quota and the permissions of the folder.",
        )
    return None


def damaged(path: Path, reason: str) -> CollectionDamaged:
    """The ledger is not readable, and nothing else can restore it."""
    return CollectionDamaged(
        f"The ledger {path} is damaged ({reason}).",
        f"Restore {path} from a backup, or remove {path.parent} and ingest the documents again.",
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _create_private(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(
            f"{path} cannot be created ({error.strerror}).",
            "Check the disk and the permissions, or choose another folder with --data-dir.",
        ) from error
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)

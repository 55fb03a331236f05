"""How one version of a file gives way to the next: insert, log, retire, sweep.

Pieces of transactions, to be called inside one; only `sweep` makes transactions of its own.
"""

from __future__ import annotations

import os

from ragcli.index.database import Database
from ragcli.index.rows import FileFacts

SWEEP = 2000
CHUNKS_OF_FILE = "FROM documents d JOIN chunks c ON c.document = d.id WHERE d.file = ?"
VECTORS_OF_FILE = (
    "FROM documents d JOIN chunks c ON c.document = d.id JOIN vectors v ON v.id = c.vector"
    " WHERE d.file = ? AND v.data IS NOT NULL"
)


def insert_file(db: Database, facts: FileFacts) -> int:
    """A new row for a file, staged."""
    with db.transaction():
        return db.run(
            "INSERT INTO files (path, root, size, mtime_ns, digest, format, parser, state)"
            " VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?, 'staged')",
            (
                os.fsencode(facts.path),
                os.fsencode(facts.root) if facts.root is not None else None,
                facts.size,
                facts.mtime_ns,
                facts.digest,
                facts.format,
                facts.parser,
            ),
        )


def log_text(db: Database, file: int) -> None:
    """Say in the change log that the chunks of this file have their text."""
    db.run(
        f"INSERT INTO changes (op, chunk) SELECT 'text', c.key {CHUNKS_OF_FILE} ORDER BY c.key",
        (file,),
    )


def log_vectors(db: Database, file: int) -> None:
    """Say in the change log which chunks of this file have their vector already."""
    db.run(
        f"INSERT INTO changes (op, chunk) SELECT 'vector', c.key {VECTORS_OF_FILE} ORDER BY c.key",
        (file,),
    )


def log_moved(db: Database, file: int) -> None:
    """Say in the change log that the chunks of this file that have a vector have another id.

    Such a line names the chunk by its negative: to what follows chunks by their keys, which stay
    the same, it is the vector of a chunk that is not there.
    """
    db.run(
        f"INSERT INTO changes (op, chunk) SELECT 'vector', -c.key {VECTORS_OF_FILE} ORDER BY c.key",
        (file,),
    )


def embedded(db: Database, file: int) -> int:
    """How many chunks of this file have their vector."""
    return int(db.value(f"SELECT count(*) {VECTORS_OF_FILE}", (file,)))


def retire_path(db: Database, path: str, *, but: int = 0) -> None:
    """Retire what lies at a path, unless it is the file `but`."""
    for (file,) in db.query(
        "SELECT id FROM files WHERE path = CAST(? AS TEXT) AND state IN ('ready', 'failed')"
        " AND id <> ?",
        (os.fsencode(path), but),
    ):
        retire(db, file)


def retire(db: Database, file: int) -> None:
    """Take a published file out of sight and say that its chunks are gone."""
    retired = db.count(
        "UPDATE files SET state = 'retired' WHERE id = ? AND state IN ('ready', 'failed')", (file,)
    )
    if retired:
        db.run(
            f"INSERT INTO changes (op, chunk) SELECT 'gone', c.key {CHUNKS_OF_FILE} ORDER BY c.key",
            (file,),
        )


def sweep(db: Database, state: str) -> None:
    """Delete the rows of staged or retired files, a short transaction at a time."""
    while files := db.query("SELECT id FROM files WHERE state = ? LIMIT 100", (state,)):
        for (file,) in files:
            while not _sweep_some(db, file):
                pass


def _sweep_some(db: Database, file: int) -> bool:
    with db.transaction():
        rows = db.query(f"SELECT c.key, c.vector {CHUNKS_OF_FILE} LIMIT ?", (file, SWEEP))
        db.run_many("DELETE FROM chunks WHERE key = ?", ((key,) for key, _ in rows))
        db.run_many(
            "DELETE FROM vectors WHERE id = ?1"
            " AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector = ?1)",
            ((vector,) for _, vector in rows),
        )
        if len(rows) == SWEEP:
            return False
        db.run("DELETE FROM documents WHERE file = ?", (file,))
        db.run("DELETE FROM files WHERE id = ?", (file,))
        return True

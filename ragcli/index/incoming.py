"""Records of a store on their way into a ledger: kept in a file, and handed out file by file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.index.identity import vector_key
from ragcli.stores import wire
from ragcli.stores.records import Record
from ragcli.types import Span, embed_text

if TYPE_CHECKING:
    import numpy as np

BLOCK = 1000
TABLE = (
    "CREATE TABLE pieces (path TEXT, document INTEGER, ordinal INTEGER, text TEXT, data TEXT,"
    " key TEXT, vector BLOB, cut INTEGER, PRIMARY KEY (path, document, ordinal)) WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk as a store gave it back."""

    document: int
    text: str
    data: dict[str, Any]


def spans_of(data: Mapping[str, Any]) -> tuple[Span, ...]:
    """Where the text of a record stands in its source."""
    return tuple(
        Span(offset, page, label, (lines[0], lines[1]) if lines else None)
        for offset, page, label, lines in data.get("spans", ())
    )


class Inbox:
    """Records by path, document and place; those of other programs are passed over."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.execute(TABLE)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add(self, records: Sequence[Record]) -> None:
        """Keep these records."""
        import numpy as np

        rows = []
        for record in records:
            data = record.data
            if not isinstance(data.get("path"), str):
                continue
            heading = tuple(data.get("heading", ()))
            text = embed_text(data.get("title"), heading, record.text)
            rows.append(
                (
                    data["path"],
                    int(data.get("document", 0)),
                    int(data.get("ordinal", 0)),
                    record.text,
                    wire.dumps(data),
                    vector_key(text).hex(),
                    record.vector.astype(np.float16).tobytes(),
                    "cut" in data,
                )
            )
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO pieces VALUES (?,?,?,?,?,?,?,?)", rows)

    def totals(self) -> tuple[int, int, int]:
        """How many files, how many chunks, and how many of these were cut."""
        row = self._db.execute(
            "SELECT count(DISTINCT path), count(*), coalesce(sum(cut), 0) FROM pieces"
        ).fetchone()
        return int(row[0]), int(row[1]), int(row[2])

    def files(self) -> Iterator[tuple[str, list[Piece]]]:
        """Each path with its chunks in order."""
        rows = self._db.execute(
            "SELECT path, document, text, data FROM pieces ORDER BY path, document, ordinal"
        )
        for path, group in groupby(rows, key=lambda row: row[0]):
            yield path, [Piece(row[1], row[2], json.loads(row[3])) for row in group]

    def vectors(self) -> Iterator[tuple[list[str], np.ndarray]]:
        """Vectors with their keys, float16 (n, dimension), in blocks."""
        import numpy as np

        cursor = self._db.execute("SELECT key, vector FROM pieces WHERE NOT cut")
        while rows := cursor.fetchmany(BLOCK):
            flat = np.frombuffer(b"".join(row[1] for row in rows), np.float16)
            yield [row[0] for row in rows], flat.reshape(len(rows), -1)

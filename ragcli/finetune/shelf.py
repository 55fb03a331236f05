"""Passages on disk, by id: what training data holds most of. The file has no name and ends with us."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, MutableMapping

from ragcli.finetune.material import Passage


class Shelf(MutableMapping[str, Passage]):
    """A mapping like a dict, in the order in which the passages came; memory for a few of them."""

    def __init__(self) -> None:
        # SQLite's name for a database in a temporary file that is deleted already.
        self._file = sqlite3.connect("")
        self._file.execute(
            "CREATE TABLE passages (place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL,"
            " text TEXT NOT NULL, document TEXT NOT NULL, title TEXT NOT NULL)"
        )

    def __getitem__(self, id: str) -> Passage:
        """The passage; raises KeyError."""
        query = "SELECT text, document, title FROM passages WHERE id = ?"
        row = self._file.execute(query, (_whole(id),)).fetchone()
        if row is None:
            raise KeyError(id)
        return Passage(*row)

    def __setitem__(self, id: str, passage: Passage) -> None:
        """Put it in, in the place of what is there."""
        text, document, title = map(_whole, (passage.text, passage.document, passage.title))
        self._file.execute(
            "INSERT INTO passages (id, text, document, title) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET text = excluded.text, document = excluded.document,"
            " title = excluded.title",
            (_whole(id), text, document, title),
        )

    def __delitem__(self, id: str) -> None:
        """Take it out; raises KeyError."""
        if not self._file.execute("DELETE FROM passages WHERE id = ?", (_whole(id),)).rowcount:
            raise KeyError(id)

    def __iter__(self) -> Iterator[str]:
        """The ids, first come first."""
        for (id,) in self._file.execute("SELECT id FROM passages ORDER BY place"):
            yield id

    def __len__(self) -> int:
        """How many."""
        return int(self._file.execute("SELECT count(*) FROM passages").fetchone()[0])


def _whole(text: str) -> str:
    """The text without halves of characters, which no file holds."""
    return text.encode("utf-8", "replace").decode()

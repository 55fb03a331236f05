"""Vectors by the hash of the text they stand for: what waits to be embedded, and what is there.

Float16 and of unit length. Knows no model: that the vectors belong together is what the
fingerprint is for.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragcli.index.database import Database, damaged
from ragcli.index.rows import Coverage
from ragcli.types import embed_text

if TYPE_CHECKING:
    import numpy as np


class Vectors:
    """The part of the ledger that holds vectors."""

    _db: Database

    def pending(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` pairs of vector key and text to embed, for texts that have no vector yet."""
        rows = self._db.query(
            "SELECT v.key, d.title, c.heading, c.text FROM vectors v JOIN chunks c ON c.key ="
            " (SELECT c.key FROM chunks c JOIN documents d ON d.id = c.document"
            "  JOIN files f ON f.id = d.file WHERE c.vector = v.id AND f.state = 'ready' LIMIT 1)"
            " JOIN documents d ON d.id = c.document WHERE v.data IS NULL ORDER BY v.id LIMIT ?",
            (limit,),
        )
        return [
            (key.hex(), embed_text(title, tuple(json.loads(heading)), text))
            for key, title, heading, text in rows
        ]

    def store_vectors(self, keys: Sequence[str], vectors: np.ndarray) -> None:
        """Keep vectors, shape (len(keys), dimension), and log them for every chunk that waits.

        A key that nothing waits for any more is passed over.
        """
        import numpy as np

        half = np.ascontiguousarray(vectors, dtype=np.float16)
        with self._db.transaction():
            for key, row in zip(keys, half, strict=True):
                self._store(bytes.fromhex(key), row.tobytes())

    def vectors(self, chunk_keys: Sequence[int]) -> tuple[list[int], np.ndarray]:
        """The chunks among these that have a vector, ascending, and the vectors, float16 (n, d).

        Raises CollectionDamaged when a vector is not the one that was stored.
        """
        import numpy as np

        rows = self._db.query(
            "SELECT c.key, v.data, v.crc FROM json_each(?) k CROSS JOIN chunks c ON c.key = k.value"
            " JOIN vectors v ON v.id = c.vector JOIN documents d ON d.id = c.document"
            " JOIN files f ON f.id = d.file"
            " WHERE v.data IS NOT NULL AND f.state = 'ready' ORDER BY c.key",
            (json.dumps([int(key) for key in chunk_keys]),),
        )
        for key, data, crc in rows:
            if not isinstance(data, bytes) or zlib.crc32(data) != crc:
                raise damaged(self._db.path, f"the vector of chunk {key} has changed")
        flat = np.frombuffer(b"".join(row[1] for row in rows), np.float16)
        return [row[0] for row in rows], flat.reshape(len(rows), -1 if rows else 0)

    def sample_vectors(self, size: int) -> np.ndarray:
        """Up to `size` vectors from all over the collection, float32 (n, dimension).

        Texts are embedded about in the order in which they came, so those between the first and
        the last vector have theirs.
        """
        import numpy as np

        there = "SELECT id FROM vectors WHERE data IS NOT NULL ORDER BY id"
        first, last = (self._db.value(f"{there} {way} LIMIT 1") for way in ("ASC", "DESC"))
        if first is None:
            return np.empty((0, 0), np.float32)
        ids = np.unique(np.linspace(first, last, min(size, last - first + 1)).astype(np.int64))
        rows = self._db.query(
            "SELECT data FROM json_each(?) i CROSS JOIN vectors v ON v.id = i.value"
            " WHERE data IS NOT NULL",
            (json.dumps(ids.tolist()),),
        )
        flat = np.frombuffer(b"".join(row[0] for row in rows), np.float16)
        return flat.reshape(len(rows), -1 if rows else 0).astype(np.float32)

    def coverage(self) -> Coverage:
        """How much can be found by its words, and how much by its meaning."""
        ((chunks, embedded),) = self._db.query(
            "SELECT coalesce(sum(chunks), 0), coalesce(sum(embedded), 0) FROM files"
            " WHERE state = 'ready'"
        )
        return Coverage(chunks, embedded)

    def forget_vectors(self) -> None:
        """Drop every vector, as when another embedder is to compute them anew."""
        with self._db.transaction():
            self._db.run("DELETE FROM changes WHERE op = 'vector'")
            self._db.run(
                "INSERT OR REPLACE INTO meta VALUES ('generation', ?)",
                (str(self.generation() + 1),),
            )
            self._db.run("UPDATE vectors SET data = NULL, crc = NULL")
            self._db.run("UPDATE files SET embedded = 0")

    def continue_generation(self, generation: int) -> None:
        """Count on from the generation of the ledger that this one takes the place of."""
        with self._db.transaction():
            self._db.run("INSERT OR REPLACE INTO meta VALUES ('generation', ?)", (str(generation),))

    def generation(self) -> int:
        """How often all vectors were dropped: those of two generations never mix in an index."""
        return int(self._db.value("SELECT value FROM meta WHERE key = 'generation'") or 0)

    def _store(self, key: bytes, data: bytes) -> None:
        rows = self._db.query("SELECT id FROM vectors WHERE key = ? AND data IS NULL", (key,))
        for (vector,) in rows:
            self._db.run(
                "UPDATE vectors SET data = ?, crc = ? WHERE id = ?",
                (data, zlib.crc32(data), vector),
            )
            waiting = self._db.query(
                "SELECT c.key, f.id FROM chunks c JOIN documents d ON d.id = c.document"
                " JOIN files f ON f.id = d.file WHERE c.vector = ? AND f.state = 'ready'"
                " ORDER BY c.key",
                (vector,),
            )
            self._db.run_many(
                "INSERT INTO changes (op, chunk) VALUES ('vector', ?)",
                ((chunk,) for chunk, _ in waiting),
            )
            self._db.run_many(
                "UPDATE files SET embedded = embedded + 1 WHERE id = ?",
                ((file,) for _, file in waiting),
            )

"""The dense index: the nearest vectors of a store, kept level with the ledger's change log.

Scores are true cosines: candidates of an approximate store are compared again with the vectors
in the ledger. Knows no model; a query arrives as a vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.index.following import follow
from ragcli.index.ledger import Ledger
from ragcli.index.rows import Change, Selection
from ragcli.stores.verified import unsound

if TYPE_CHECKING:
    import numpy as np

    from ragcli.stores.embedded import EmbeddedStore

BATCH = 5000
SPARE = 20


class DenseIndex:
    """A vector store and the position of the ledger that it has reached."""

    def __init__(self, store: EmbeddedStore, ledger: Ledger) -> None:
        self.store = store
        self._ledger = ledger
        self.position = 0
        self.saved = 0
        self.fingerprint = ""
        self._selected: tuple[tuple[int, Selection], np.ndarray] | None = None

    def open(self, fingerprint: str) -> None:
        """Open what is there; raises IndexDamaged when it is missing, damaged or of another model."""
        self.position, self.fingerprint = self.store.open()
        self.saved = self.position
        self.check(fingerprint)

    def check(self, fingerprint: str) -> None:
        """Raise IndexDamaged when the index holds vectors of another embedder than this."""
        if self.fingerprint != fingerprint:
            raise unsound("it holds vectors of another embedder")

    def catch_up(self, ledger: Ledger) -> None:
        """Apply in memory what the ledger has logged since; `save` makes it last."""
        goal = follow(self.position, ledger, unsound)
        if self.position == goal:
            return
        if self.store.outgrown(ledger.coverage().embedded):
            self.position = 0
            self._begin(ledger)
        elif not len(self.store):
            self._begin(ledger)
        while changes := ledger.changes(self.position, BATCH):
            self._apply(ledger, changes)
            self.position = changes[-1].seq
        self.position = max(self.position, goal)

    def rebuild(self, ledger: Ledger, fingerprint: str) -> None:
        """Throw the index away and build it from the ledger alone, in memory."""
        self.position, self.fingerprint = 0, fingerprint
        self._begin(ledger)
        self.catch_up(ledger)

    def count(self) -> int:
        """How many vectors there are."""
        return len(self.store)

    def worth_saving(self) -> bool:
        """Whether so much has changed that catching up again costs more than writing the file."""
        return self.position - self.saved > self.tolerance()

    def tolerance(self) -> int:
        """How many changes the saved file may lie behind."""
        return len(self.store) // 50

    def save(self) -> None:
        """Write the store down with the position it has reached."""
        self.store.save(self.position, self.fingerprint)
        self.saved = self.position

    def search(
        self, vector: np.ndarray, k: int, allowed: Selection | None = None
    ) -> list[tuple[int, float]]:
        """The k chunks whose vectors are nearest: key and cosine, best first; ties by key.

        `vector` is of unit length, float (dimension,). `allowed` filters before the top k are
        taken.
        """
        import numpy as np

        asked = np.asarray(vector, np.float32).reshape(-1)
        keys = None if allowed is None or allowed.everything else self._keys(allowed)
        if self.store.exact:
            found = self.store.search(asked, k, keys)
            return sorted(found, key=lambda hit: (-hit[1], hit[0]))
        found = self.store.search(asked, k + max(k // 2, SPARE), keys)
        return _compared(self._ledger, [key for key, _ in found], asked)[:k]

    def _keys(self, allowed: Selection) -> np.ndarray:
        """The keys of a selection, remembered for the next question with the same filter."""
        asked = (self._ledger.position(), allowed)
        if self._selected is None or self._selected[0] != asked:
            self._selected = (asked, self._ledger.selected_keys(allowed))
        return self._selected[1]

    def _begin(self, ledger: Ledger) -> None:
        """Empty the store and give it the form that suits what is to come."""
        total = ledger.coverage().embedded
        size = self.store.sample_size(total)
        sample = ledger.sample_vectors(max(size, 1))
        self.store.reset(sample.shape[1] or 1, total, sample if size else None)

    def _apply(self, ledger: Ledger, changes: list[Change]) -> None:
        import numpy as np

        gone = [change.chunk for change in changes if change.op == "gone"]
        added = [change.chunk for change in changes if change.op == "vector"]
        keys, vectors = ledger.vectors(added)
        if keys:
            self.store.add(np.array(keys, np.int64), vectors.astype(np.float32))
        self.store.delete(np.array(gone, np.int64))


def _compared(ledger: Ledger, keys: list[int], asked: np.ndarray) -> list[tuple[int, float]]:
    import numpy as np

    there, vectors = ledger.vectors(keys)
    if not there:
        return []
    scores = vectors.astype(np.float32) @ asked
    hits = zip(there, scores.tolist(), strict=True)
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

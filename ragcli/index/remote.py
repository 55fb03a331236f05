"""The dense index where the vectors live in a store elsewhere: asked for candidates, kept level.

A question only reads from the store. Its candidates are compared again with the vectors in the
ledger, so scores are true cosines, and what is gone from the ledger is never found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.errors import RagcliError, UsageError
from ragcli.index.claim import Claim
from ragcli.index.ledger import Ledger
from ragcli.index.mirror import Mirror
from ragcli.index.outgoing import document_number
from ragcli.index.rows import Selection
from ragcli.index.sending import Advance, Plan, Sender
from ragcli.stores.records import Where

if TYPE_CHECKING:
    import numpy as np

    from ragcli.stores.store import Store

SPARE, WIDER = 20, 4
SMALL = 5000
"""A selection of so few chunks is compared as a whole, with the vectors in the ledger."""
BLOCK = 5000


class RemoteIndex:
    """The vectors of one collection in one store. `warn` hears what a person should know."""

    def __init__(
        self, store: Store, ledger: Ledger, folder: Path, name: str, warn: Callable[[str], None]
    ) -> None:
        digest = hashlib.sha256(store.place.encode()).hexdigest()[:12]
        self.store = store
        self.exact = True
        self._ledger = ledger
        self._claim = Claim(store, ledger, name)
        self._mirror = Mirror(folder / f"{type(store).__name__.lower()}-{digest}.db")
        self._sender = Sender(store, ledger, self._mirror)
        self._warn = warn
        self._checked = False
        self._selected: tuple[tuple[int, Selection], np.ndarray] | None = None

    def close(self) -> None:
        """Let go of connections and files."""
        self.store.close()
        self._mirror.close()

    @property
    def position(self) -> int:
        """The position of the ledger up to which everything was sent."""
        return self._mirror.position

    def count(self) -> int:
        """How many records the store holds now; it is asked."""
        return self.store.count() if self.store.open() else 0

    def sent(self) -> int:
        """How many records the store should hold."""
        return self._mirror.count()

    def behind(self) -> int:
        """How many lines of the ledger's log were not carried over yet."""
        return self._ledger.position() - self._mirror.position

    # Reading

    def check(self) -> bool:
        """Whether the store can be asked; raises FingerprintMismatch, or UsageError, if not ours."""
        return self._claim.holds()

    def search(
        self, vector: np.ndarray, k: int, allowed: Selection | None = None
    ) -> list[tuple[int, float]]:
        """The k chunks whose vectors are nearest: key and cosine, best first; ties by key.

        `vector` is of unit length, float (dimension,). `allowed` filters before the top k are
        taken.
        """
        try:
            return self._search(vector, k, allowed)
        except UsageError:
            raise
        except RagcliError as error:
            error.fix = f"{error.fix} By words alone it can be asked now: --mode lexical."
            raise

    def _search(
        self, vector: np.ndarray, k: int, allowed: Selection | None
    ) -> list[tuple[int, float]]:
        import numpy as np

        if not self._ready():
            return []
        asked = np.asarray(vector, np.float32).reshape(-1)
        if allowed is None or allowed.everything:
            return self._candidates(asked, k, None, None)[:k]
        keys = self._keys(allowed)
        if len(keys) <= SMALL:
            return self._compared(keys.tolist(), asked)[:k]
        found = self._candidates(asked, k, self._where(allowed), set(keys.tolist()))
        # An engine that found too few may have looked at too little: the ledger has all of them.
        return (found if len(found) >= k else self._compared(keys.tolist(), asked))[:k]

    def _ready(self) -> bool:
        if not self._checked:
            self._checked = self.check()
            if not self._checked:
                self._warn(f"{self._claim.place} holds nothing of this collection yet: ragcli sync")
            elif self.behind() > 0:
                self._warn(f"{self._claim.place} is behind the ledger. Run: ragcli sync")
        return self._checked

    def _candidates(
        self, asked: np.ndarray, k: int, where: Where | None, allowed: set[int] | None
    ) -> list[tuple[int, float]]:
        """At least k hits where there are so many, asking the store deeper until there are."""
        depth = min(k + max(k // 2, SPARE), self.store.deepest)
        while True:
            ids = [id for id, _ in self.store.nearest(asked, depth, where)]
            known = self._ledger.keys_of(ids)
            keys = [key for id in ids for key in known.get(id, ())]
            if allowed is not None:
                keys = [key for key in keys if key in allowed]
            if len(keys) >= k or len(ids) < depth or depth >= self.store.deepest:
                return self._compared(keys, asked)
            depth = min(depth * WIDER, self.store.deepest)

    def _where(self, allowed: Selection) -> Where | None:
        """The selection as the store understands it; None where it takes too many words to say."""
        documents: tuple[int, ...] | None = None
        if allowed.documents is not None and len(allowed.documents) <= self.store.most_values:
            rows = self._ledger.query(
                "SELECT f.path, d.ordinal FROM json_each(?) s CROSS JOIN documents d"
                " ON d.id = s.value JOIN files f ON f.id = d.file",
                (json.dumps(sorted(allowed.documents)),),
            )
            documents = tuple(sorted(document_number(path, ordinal) for path, ordinal in rows))
        if documents is None and allowed.pages is None:
            return None
        return Where(documents, allowed.pages)

    def _keys(self, allowed: Selection) -> np.ndarray:
        asked = (self._ledger.position(), allowed)
        if self._selected is None or self._selected[0] != asked:
            self._selected = (asked, self._ledger.selected_keys(allowed))
        return self._selected[1]

    def _compared(self, keys: Sequence[int], asked: np.ndarray) -> list[tuple[int, float]]:
        import numpy as np

        hits: list[tuple[int, float]] = []
        for start in range(0, len(keys), BLOCK):
            there, vectors = self._ledger.vectors(keys[start : start + BLOCK])
            if there:
                scores = (vectors.astype(np.float32) @ asked).tolist()
                hits += zip(there, scores, strict=True)
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    # Writing

    def catch_up(self, advance: Advance = lambda number: None, *, take_over: bool = False) -> None:
        """Bring the store level with the ledger; only the one writer may call this.

        With `take_over` a place that another collection wrote becomes this one's, and what that
        one had is erased. Raises UsageError where it is not set, FingerprintMismatch, and what the
        store does: then the ledger holds everything, and the next call goes on.
        """
        try:
            if self._ledger.coverage().embedded or self.position:
                self._catch_up(advance, take_over)
        except UsageError:
            raise
        except RagcliError as error:
            error.fix = f"{error.fix} Nothing is lost: what is missing there goes with ragcli sync."
            raise

    def adopt(self) -> None:
        """The ledger was just made from this store, which therefore is level with it."""
        known = self._ledger.keys_of(list(self.store.ids()))
        self._mirror.begin(self._claim.embedder, {id: keys[-1] for id, keys in known.items()})
        self._mirror.reached(self._ledger.position())

    def plan(self) -> Plan:
        """What bringing the store level takes. Asks it nothing that changes it."""
        anew = not self._mirror_sound()
        return self._sender.plan(anew=anew)

    def repair(self, advance: Advance = lambda number: None) -> None:
        """Send everything again and erase whatever else is there."""
        self._claim.stake(self._mirror)
        self._anew(advance)
        self._sender.prove()

    def _catch_up(self, advance: Advance, take_over: bool) -> None:
        self._claim.stake(self._mirror, take_over=take_over)
        if self._mirror_sound():
            self._sender.follow(advance)
        else:
            self._anew(advance)
        self._sender.prove()
        self._checked = True

    def _anew(self, advance: Advance) -> None:
        """The mirror does not say what the store holds: ask the store, then send everything."""
        held = list(self.store.ids())
        known = self._ledger.keys_of(held)
        self.store.erase([id for id in held if id not in known])
        self._mirror.begin(self._claim.embedder, {id: keys[-1] for id, keys in known.items()})
        self._sender.follow(advance)

    def _mirror_sound(self) -> bool:
        position = self._mirror.position
        if self._mirror.embedder != self._claim.embedder:
            return False
        return self._ledger.floor() <= position <= self._ledger.position() or position == 0

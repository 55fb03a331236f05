"""Whose a store's place is: what is written down there of the collection and the model.

Another collection, another model, and records that ragcli did not write are refused.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ragcli.errors import FingerprintMismatch, UsageError
from ragcli.index import fingerprint
from ragcli.index.ledger import Ledger
from ragcli.index.mirror import Mirror

if TYPE_CHECKING:
    from ragcli.stores.store import Store

SCHEMA = "ragcli.store/1"
IDENTITY = "identity"


class Claim:
    """What one collection says of its place in one store."""

    def __init__(self, store: Store, ledger: Ledger, name: str) -> None:
        self._store = store
        self._ledger = ledger
        self._name = name

    @property
    def place(self) -> str:
        """Where the records are, for messages."""
        return f"{self._store.manner.title} ({self._store.place})"

    @property
    def embedder(self) -> str:
        """Which vectors belong together: those of one embedder, computed in one go."""
        return f"{self._built.get('embedder')}/{self._ledger.generation()}"

    def holds(self) -> bool:
        """Whether the place is there and holds vectors of this collection.

        Raises UsageError when another collection wrote them, FingerprintMismatch when another
        embedder did.
        """
        facts = self._store.facts() if self._store.open(self._dimension) else None
        if facts is None:
            return False
        self._refuse_foreign(facts)
        if facts.get("embedder") != self.embedder:
            raise self._other_vectors(facts)
        return True

    def stake(self, mirror: Mirror, *, take_over: bool = False) -> None:
        """Make the place, and make it this collection's; vectors of an older model are erased.

        With `take_over` even that of another collection, or of records that ragcli did not write;
        `mirror` then begins anew. Raises UsageError and FingerprintMismatch where it may not.
        """
        store = self._store
        store.open(self._dimension, create=True)
        facts, current = store.facts(), self._facts()
        if facts is None and not take_over and store.count():
            raise UsageError(
                f"{self.place} holds records that ragcli did not write.",
                "Choose another place in `store`, or run: ragcli sync --force, which erases them.",
            )
        if facts is not None and not take_over:
            self._refuse_foreign(facts)
        if facts is not None and facts.get("embedder") != current["embedder"]:
            if not take_over and _generation(facts) > self._ledger.generation():
                raise self._other_vectors(facts)
            store.clear()
            mirror.begin("")
        if facts != current:
            store.set_facts(current)
        if take_over and (facts or {}).get("collection") != current["collection"]:
            mirror.begin("")

    def _facts(self) -> dict[str, str]:
        identity = self._ledger.meta(IDENTITY)
        if identity is None:
            identity = str(uuid.uuid4())
            self._ledger.set_meta(IDENTITY, identity)
        return {
            "schema": SCHEMA,
            "collection": identity,
            "name": self._name,
            "embedder": self.embedder,
            "model": self._built.get("model", ""),
            "dimension": self._built.get("dimension", ""),
            "splitter": self._built.get("splitter", ""),
        }

    def _refuse_foreign(self, facts: dict[str, str]) -> None:
        if facts.get("collection") == self._ledger.meta(IDENTITY):
            return
        digest = facts.get("embedder", "").split("/")[0]
        if digest != self.embedder.split("/")[0]:
            raise FingerprintMismatch(
                f"{self.place} holds vectors of {facts.get('model')} ({digest[:8]}),"
                f" not of {self._built.get('model', '')}.",
                "Choose another place in `store`, or set embedder.model to what it was.",
            )
        raise UsageError(
            f"{self.place} holds the collection {facts.get('name')!r} of another ledger.",
            "Choose another place in `store`; take its ledger with ragcli sync --from; or put this"
            " collection in its place with: ragcli sync --force",
        )

    def _other_vectors(self, facts: dict[str, str]) -> FingerprintMismatch:
        return FingerprintMismatch(
            f"{self.place} holds vectors of {facts.get('model')} that are not those of the ledger.",
            "Bring it level with: ragcli sync; or, where the ledger is the older of the two:"
            " ragcli sync --force",
        )

    @property
    def _built(self) -> dict[str, str]:
        return fingerprint.stored(self._ledger)

    @property
    def _dimension(self) -> int:
        return int(self._built.get("dimension") or 0)


def _generation(facts: dict[str, str]) -> int:
    number = facts.get("embedder", "").rpartition("/")[2]
    return int(number) if number.isdigit() else 0

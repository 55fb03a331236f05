"""What a collection was built with: the embedder and the splitter. Vectors of two models never mix."""

from __future__ import annotations

import json
from typing import Protocol

from ragcli.errors import FingerprintMismatch
from ragcli.index.ledger import Ledger

META = "fingerprint"


class Embedder(Protocol):
    """What is asked of an embedder's description."""

    @property
    def model(self) -> str:
        """Its name, for people."""

    @property
    def fingerprint(self) -> str:
        """A digest of all that decides what a vector is."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""


def compute(embedder: Embedder, splitter: str) -> dict[str, str]:
    """The fingerprint of a collection built with this embedder and this splitter."""
    facts = {
        "model": embedder.model,
        "embedder": embedder.fingerprint,
        "dimension": str(embedder.dimension),
        "splitter": splitter,
    }
    base = getattr(embedder, "tuned_from", "")
    return {**facts, "base": base} if base else facts


def stored(ledger: Ledger) -> dict[str, str]:
    """The fingerprint in the ledger; empty before anything was ingested."""
    found: dict[str, str] = json.loads(ledger.meta(META) or "{}")
    return found


def related(known: dict[str, str], current: dict[str, str]) -> bool:
    """Whether two embedders are a model and one tuned from it, or both tuned from one, and split alike.

    Then the texts in the ledger stay as they are, and only their vectors are computed anew.
    """
    if not known or known["embedder"] == current["embedder"]:
        return False
    roots = [facts.get("base") or facts["embedder"] for facts in (known, current)]
    return known["splitter"] == current["splitter"] and roots[0] == roots[1]


def check(ledger: Ledger, current: dict[str, str]) -> None:
    """Raise FingerprintMismatch when the collection was built with something else."""
    known = stored(ledger)
    if known and known["embedder"] != current["embedder"]:
        force = "" if related(known, current) else " --force"
        raise FingerprintMismatch(
            f"The collection was built with the embedder {known['model']}"
            f" ({known['embedder'][:8]}), not with {current['model']} ({current['embedder'][:8]}).",
            f"Build it anew with: ragcli ingest{force}; or set embedder.model to what it was.",
        )
    if known and known["splitter"] != current["splitter"]:
        raise FingerprintMismatch(
            f"The collection was split by {known['splitter']}, not by {current['splitter']}.",
            "Build it anew with: ragcli ingest --force; or set the splitter to what it was.",
        )


def adopt(ledger: Ledger, current: dict[str, str]) -> None:
    """Make this the fingerprint of the collection; vectors of another embedder are dropped.

    The caller then splits all files anew.
    """
    known = stored(ledger)
    if known and known["embedder"] != current["embedder"]:
        ledger.forget_vectors()
    if known != current:
        ledger.set_meta(META, json.dumps(current))

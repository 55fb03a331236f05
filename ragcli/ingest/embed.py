"""The second phase: every chunk without a vector gets one, in batches of like length.

Reads texts from the ledger alone, so it continues wherever a run before it was stopped. Vectors
are committed about once a second, and the dense index follows at the end and every few minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from ragcli.index.collection import Collection
from ragcli.ingest.report import Progress

if TYPE_CHECKING:
    import numpy as np

WINDOW = 2048
"""Texts that are sorted by length together: a batch of like lengths wastes no time on padding."""

COMMIT_SECONDS = 1.0
FOLLOW_SECONDS = 180.0
SMALLEST, LARGEST = 16, 1024


class Encoder(Protocol):
    """What this room needs of an embedder."""

    def encode(self, texts: list[str], *, query: bool = False) -> np.ndarray:
        """Vectors of unit length, float32, shape (len(texts), dimension)."""


def embed(collection: Collection, build: Callable[[], Encoder], progress: Progress) -> None:
    """Compute and store the vectors that are missing. `build` is called only if there are any."""
    coverage = collection.ledger.coverage()
    if not (window := collection.ledger.pending(WINDOW)):
        return
    embedder = build()
    progress.phase("Embedding", coverage.chunks - coverage.embedded)
    done, followed, pace = coverage.embedded, time.monotonic(), _Pace()
    while window:
        for keys, texts in _batches(window, pace):
            started = time.monotonic()
            collection.ledger.store_vectors(keys, embedder.encode(texts))
            pace.learn(len(texts), time.monotonic() - started)
            now = collection.ledger.coverage().embedded
            progress.advance(now - done)
            done = now
        if time.monotonic() - followed > FOLLOW_SECONDS:
            collection.refresh(halfway=True)
            followed = time.monotonic()
        window = collection.ledger.pending(WINDOW)


class _Pace:
    """How many texts make about a second of work."""

    def __init__(self) -> None:
        self.texts = SMALLEST * 2

    def learn(self, texts: int, seconds: float) -> None:
        wanted = texts * COMMIT_SECONDS / max(seconds, 1e-3)
        self.texts = int(min(max(wanted, SMALLEST, self.texts / 2), LARGEST, self.texts * 2))


def _batches(window: list[tuple[str, str]], pace: _Pace) -> Iterator[tuple[list[str], list[str]]]:
    """Keys and texts, longest first: what does not fit into memory shows at once."""
    ordered = sorted(window, key=lambda pair: (-len(pair[1]), pair[0]))
    at = 0
    while at < len(ordered):
        batch = ordered[at : at + pace.texts]
        at += len(batch)
        yield [key for key, _ in batch], [text for _, text in batch]

"""Trains on what is searched: of a passage that is cut into chunks, the one nearest to the question.

Its text is what was embedded for it: with title and headings in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from ragcli.finetune.ground import Ground
from ragcli.finetune.material import Row
from ragcli.types import StoredChunk, embed_text

if TYPE_CHECKING:
    import numpy as np

    from ragcli.finetune.recipe import Prepared

PORTION = 256
MOST_PIECES = 8


def as_searched(rows: Iterable[Row], ground: Ground, embedder: Any) -> Iterator[Row]:
    """The rows with the text of a chunk in place of each passage that the corpus holds."""
    keys = ground.keys()
    coming = iter(rows)
    while portion := list(islice(coming, PORTION)):
        vectors = embedder.encode([row.texts[0] for row in portion], query=True)
        for row, vector in zip(portion, vectors, strict=True):
            yield _with_chunks(row, vector, ground, keys)


def pieces(name: str, ready: Prepared, asked: np.ndarray) -> list[str]:
    """The texts in which a passage is searched; the whole of one that the corpus does not hold.

    Of a long one those nearest to the questions, of which `asked` are the vectors.
    """
    ground = ready.ground
    keys = ground.keys().get(name, []) if ground.records else []
    if len(keys) > MOST_PIECES:
        there, vectors = ground.collection.ledger.vectors(keys)
        nearest = (vectors @ asked.T).max(axis=1)
        keys = [there[at] for at in sorted((-nearest).argsort()[:MOST_PIECES])]
    chunks = ground.collection.ledger.chunks(keys)
    return [embedded(chunk) for chunk in chunks.values()] or [ready.material.passages[name].whole]


def embedded(chunk: StoredChunk) -> str:
    """The text that the vector of a chunk stands for."""
    return embed_text(chunk.title, chunk.heading, chunk.text)


def _with_chunks(row: Row, vector: np.ndarray, ground: Ground, keys: dict[str, list[int]]) -> Row:
    chosen = [_nearest(keys.get(name, []), vector, ground) for name in row.passages]
    chunks = ground.collection.ledger.chunks([key for key in chosen if key is not None])
    texts = list(row.texts)
    for at, key in enumerate(chosen, 1):
        if key in chunks:
            texts[at] = embedded(chunks[key])
    return replace(row, texts=tuple(texts))


def _nearest(keys: list[int], vector: np.ndarray, ground: Ground) -> int | None:
    if len(keys) < 2:
        return keys[0] if keys else None
    there, vectors = ground.collection.ledger.vectors(keys)
    return there[int((vectors @ vector).argmax())] if there else None

"""Asks the two indexes of a collection, and fills in what only one of them found.

A candidate of one side gets its exact score on the other: its cosine from the vector that the
ledger holds, its BM25 from the lexical index. So a fused score never depends on how many
candidates were taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from ragcli.index.collection import Collection
from ragcli.index.rows import Selection
from ragcli.retrieve.fusion import ranks

if TYPE_CHECKING:
    import numpy as np


@dataclass(slots=True)
class Side:
    """What one index answered: scores by chunk key, and the ranks of those that it found itself.

    `exhausted` says that there is no more to find; `ceiling` is the highest score possible.
    """

    scores: dict[int, float] = field(default_factory=dict)
    ranks: dict[int, int] = field(default_factory=dict)
    exhausted: bool = True
    ceiling: float = 1.0
    milliseconds: float = 0.0


def dense_side(
    collection: Collection, vector: np.ndarray, depth: int, allowed: Selection | None
) -> Side:
    """The `depth` chunks nearest to a unit vector (dimension,), by cosine."""
    start = perf_counter()
    found = collection.dense.search(vector, depth, allowed)
    return Side(dict(found), ranks(found), len(found) < depth, 1.0, _since(start))


def lexical_side(
    collection: Collection, question: str, depth: int, allowed: Selection | None
) -> Side:
    """The `depth` chunks that score highest by BM25."""
    start = perf_counter()
    found = collection.lexical.search(question, depth, allowed)
    ceiling = collection.lexical.ceiling(question)
    return Side(dict(found), ranks(found), len(found) < depth, ceiling, _since(start))


def complete(
    collection: Collection, question: str, vector: np.ndarray, dense: Side, lexical: Side
) -> None:
    """Give each side the scores of what only the other one found."""
    start = perf_counter()
    dense.scores.update(_cosines(collection, vector, lexical.ranks.keys() - dense.ranks.keys()))
    dense.milliseconds += _since(start)
    start = perf_counter()
    only_dense = sorted(dense.ranks.keys() - lexical.ranks.keys())
    lexical.scores.update(collection.lexical.scores(question, only_dense))
    lexical.milliseconds += _since(start)


def _cosines(collection: Collection, vector: np.ndarray, keys: Iterable[int]) -> dict[int, float]:
    import numpy as np

    found, vectors = collection.ledger.vectors(sorted(keys))
    if not found:
        return {}
    cosines = vectors.astype(np.float32) @ np.asarray(vector, np.float32)
    return dict(zip(found, cosines.tolist(), strict=True))


def _since(start: float) -> float:
    return (perf_counter() - start) * 1000

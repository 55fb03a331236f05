"""Sorts answers into topics, so that a batch can be made of a few: its other answers are then hard to rule out.

Topic-aware sampling (Hofstätter et al. 2021), over the vectors that the corpus holds already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ragcli.finetune.ground import Ground

if TYPE_CHECKING:
    import numpy as np

MEMBERS = 24
"""Answers in a topic, about."""
MOST_TOPICS = 2000
SAMPLED = 40
"""Answers for each topic that the middles are computed from, at most."""
NONE = -1
ROUNDS = 10
PORTION = 10_000


def topics(names: Iterable[str], ground: Ground, seed: int) -> dict[str, int]:
    """The topic of each passage that the corpus holds; nothing where they are too few for two."""
    import faiss
    import numpy as np

    keys = ground.keys()
    first = {keys[name][0]: name for name in names if name in keys}
    count = min(len(first) // MEMBERS, MOST_TOPICS)
    if count < 2:
        return {}
    chosen = sorted(first)[:: max(1, len(first) // (SAMPLED * count))]
    sample = [vectors for _, vectors in _vectors(chosen, ground)]
    dimension = sample[0].shape[1]
    middles = faiss.Kmeans(
        dimension, count, niter=ROUNDS, seed=seed, spherical=True, min_points_per_centroid=1
    )
    middles.train(np.concatenate(sample))
    found: dict[str, int] = {}
    for there, vectors in _vectors(sorted(first), ground):
        _, nearest = middles.index.search(vectors, 1)
        found |= {first[key]: int(topic) for key, topic in zip(there, nearest[:, 0], strict=True)}
    return found


def _vectors(keys: Iterable[int], ground: Ground) -> Iterator[tuple[list[int], np.ndarray]]:
    coming = iter(keys)
    while portion := list(islice(coming, PORTION)):
        there, vectors = ground.collection.ledger.vectors(portion)
        if there:
            yield there, vectors.astype("float32")

"""How long a search takes in a program that is warm: questions of a set, asked one at a time."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from ragcli.evaluate.questions import Item

if TYPE_CHECKING:
    from ragcli.index.collection import Collection
    from ragcli.retrieve.options import RetrievalOptions
    from ragcli.retrieve.rerank import Reranker
    from ragcli.retrieve.search import QueryEmbedder

PERCENTILES = (50, 95, 99)
MOST = 100
"""Questions that are timed: a set of thousands is asked in batches, and only sampled here."""
SECONDS = 5.0
"""After so long no more are timed, if there are `LEAST` already."""
LEAST = 5
SEED = 7


def timed(
    collection: Collection,
    embedder: Callable[[], QueryEmbedder],
    items: Sequence[Item],
    options: RetrievalOptions,
    reranker: Callable[[], Reranker] | None = None,
) -> dict[str, float]:
    """Milliseconds by question for a sample of them, each a search of its own with these options."""
    from ragcli.retrieve.search import search

    def spent(item: Item) -> float:
        start = perf_counter()
        search(collection, embedder, item.text, options, reranker)
        return (perf_counter() - start) * 1000

    # In any order that the file does not have: where time runs out, it was a sample all the same.
    sample = random.Random(SEED).sample(items, min(len(items), MOST))  # noqa: S311
    if sample:
        spent(sample[0])  # loads the models and opens the indexes: thrown away
    found: dict[str, float] = {}
    for item in sample:
        if len(found) >= LEAST and sum(found.values()) > SECONDS * 1000:
            break
        found[item.id] = spent(item)
    return found


def latency(milliseconds: Mapping[str, float]) -> dict[str, float]:
    """The mean and the percentiles of what the questions took, in milliseconds, and how many they were."""
    import numpy as np

    spent = np.array(list(milliseconds.values()) or [0.0])
    found = {f"p{share}": float(np.percentile(spent, share)) for share in PERCENTILES}
    rounded = {name: round(value, 1) for name, value in {"mean": spent.mean(), **found}.items()}
    return {**rounded, "questions": len(milliseconds)}

"""nDCG@10 as trec_eval computes it (Järvelin and Kekäläinen 2002), over plain rankings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2

DEPTH = 10
LOSS = 3.0
"""How much more a loss on new documents counts than a gain."""


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], depth: int = DEPTH) -> float:
    """Between 0 and 1: linear gain, discount log2(rank + 1), ideal over all that is relevant."""
    found = sum(relevant.get(name, 0) / log2(at + 2) for at, name in enumerate(ranking[:depth]))
    best = sorted(relevant.values(), reverse=True)[:depth]
    ideal = sum(grade / log2(at + 2) for at, grade in enumerate(best))
    return found / ideal if ideal else 0.0


def mean(values: Mapping[str, float]) -> float:
    """The mean over questions; 0 without any."""
    return sum(values.values()) / len(values) if values else 0.0


class Judge:
    """The mean over development questions, less what is lost on those about new documents.

    Who is trained on some documents can learn them by heart, and find others worse than before: what
    questions about documents outside the training lose against the first values that are judged,
    which are the base's, is taken off `LOSS` times.
    """

    def __init__(self, apart: Collection[str]) -> None:
        self._apart = frozenset(apart)
        self._floor: float | None = None

    def __call__(self, values: Mapping[str, float]) -> float:
        """One number for the values of all questions."""
        own = mean({id: value for id, value in values.items() if id in self._apart})
        if self._floor is None:
            self._floor = own
        return mean(values) - LOSS * max(0.0, self._floor - own)

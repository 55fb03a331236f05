"""nDCG@10 as trec_eval computes it (Järvelin and Kekäläinen 2002), over plain rankings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2, sqrt

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

    Who is trained on some documents can learn them by heart, and find others worse than before. So
    questions about documents outside the training are compared with the first values that are
    judged, which are the base's: a loss within one standard error of the differences is let pass,
    what is beyond it is taken off `LOSS` times.
    """

    def __init__(self, apart: Collection[str]) -> None:
        self._apart = sorted(apart)
        self._base: Mapping[str, float] | None = None

    def __call__(self, values: Mapping[str, float]) -> float:
        """One number for the values of all questions."""
        if self._base is None:
            self._base = dict(values)
        base = self._base
        return mean(values) - LOSS * _beyond([base[id] - values[id] for id in self._apart])


def _beyond(losses: Sequence[float]) -> float:
    """How much the mean of these exceeds its standard error."""
    count = len(losses)
    if count < 2:
        return 0.0
    middle = sum(losses) / count
    spread = sum((loss - middle) ** 2 for loss in losses) / (count - 1)
    return max(0.0, middle - sqrt(spread / count))

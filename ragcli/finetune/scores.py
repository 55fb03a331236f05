"""nDCG@10 as trec_eval computes it (Järvelin and Kekäläinen 2002), over plain rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

DEPTH = 10


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], depth: int = DEPTH) -> float:
    """Between 0 and 1: linear gain, discount log2(rank + 1), ideal over all that is relevant."""
    found = sum(relevant.get(name, 0) / log2(at + 2) for at, name in enumerate(ranking[:depth]))
    best = sorted(relevant.values(), reverse=True)[:depth]
    ideal = sum(grade / log2(at + 2) for at, grade in enumerate(best))
    return found / ideal if ideal else 0.0


def mean(values: Mapping[str, float]) -> float:
    """The mean over questions; 0 without any."""
    return sum(values.values()) / len(values) if values else 0.0

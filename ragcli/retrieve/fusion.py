"""Fuses the scores of the dense and the lexical index into one. Pure functions over plain data.

score = w * cosine + (1 - w) * coverage, between 0 and 1, where the cosine is floored at 0 and
coverage = BM25+ / the most BM25+ that any text could reach for the question: the share of what the
question's words weigh that is found in the text. Both terms mean the same for every question, so
the scores of different questions can be compared, and a score does not depend on which other hits
were found or how many: no rank, minimum, maximum or deviation of a result list goes into it.

This is the convex combination of Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
Hybrid Retrieval" (ACM TOIS 2023), with the theoretical maximum of BM25 instead of the largest of
the list. `benchmarks/choose_fusion.py` compares it with the alternatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Scored = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Fused:
    """A chunk with its fused score and the raw scores it was fused from (None: side not asked)."""

    key: int
    score: float
    dense: float | None
    lexical: float | None


def fuse(
    dense: Mapping[int, float] | None,
    lexical: Mapping[int, float] | None,
    *,
    ceiling: float,
    dense_weight: float,
) -> list[Fused]:
    """Fuse cosines and BM25 scores by chunk key; best first, equal scores by key.

    `ceiling` is the highest BM25 score possible for the question. A key that one side lacks counts
    as 0 there. A side that is None was not asked: the other alone makes the score.
    """
    weight = 1.0 if lexical is None else 0.0 if dense is None else dense_weight
    cosines, words = dense or {}, lexical or {}
    fused = [
        Fused(
            key,
            _combine(cosines.get(key, 0.0), words.get(key, 0.0), ceiling, weight),
            None if dense is None else dense.get(key),
            None if lexical is None else lexical.get(key),
        )
        for key in cosines.keys() | words.keys()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.key))


def coverage(lexical: float, ceiling: float) -> float:
    """The share, 0 to 1, of what the question's words weigh that a BM25 score accounts for."""
    return _unit(lexical / ceiling) if ceiling > 0 else 0.0


def ranks(scored: Iterable[Scored]) -> dict[int, int]:
    """The 1-based rank of each key, best score first, equal scores by key."""
    ordered = sorted(scored, key=lambda pair: (-pair[1], pair[0]))
    return {key: rank for rank, (key, _) in enumerate(ordered, 1)}


def _combine(cosine: float, lexical: float, ceiling: float, weight: float) -> float:
    return weight * _unit(cosine) + (1 - weight) * coverage(lexical, ceiling)


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)

"""Orders the best hits anew by what a reranker says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ragcli.retrieve.ranking import Ranked
from ragcli.types import embed_text


class Reranker(Protocol):
    """The part of a reranker that a search needs."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question: 0 to 1, in the order of the texts."""
        ...


def rerank(ranked: Sequence[Ranked], question: str, reranker: Reranker, depth: int) -> list[Ranked]:
    """The same hits, the first `depth` of them best first by the reranker.

    Each keeps its fused score (0 to 1) beside the new one. What is read of a hit is what is embedded
    of it: title and headings in front of the text. Equal scores stay in the order in which they came.
    """
    first, rest = ranked[:depth], ranked[depth:]
    chunks = [item.hit.chunk for item in first]
    texts = [embed_text(chunk.title, chunk.heading, chunk.text) for chunk in chunks]
    for item, score in zip(first, reranker.score(question, texts), strict=True):
        item.hit.fused, item.hit.score = item.hit.score, score
    lowest = min(item.hit.score for item in first)
    for item in rest:
        # What was not read stands behind what was, in its own order, on one falling scale.
        item.hit.fused = item.hit.score
        item.hit.score = min(item.hit.score * lowest, lowest)
    return [*sorted(first, key=lambda item: -item.hit.score), *rest]

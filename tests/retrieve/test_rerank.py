"""Reranking: the best hits in a new order, the others behind them, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import search

QUESTION = "water for roses in autumn"


class Shortest:
    """Prefers short texts: an order that no index would give."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def score(self, question: str, texts: list[str]) -> list[float]:
        self.seen.append(len(texts))
        return [1 / (1 + len(text)) for text in texts]


def asked(garden, reranker=None, **options):
    return search(
        garden.ready(),
        lambda: garden.embedder,
        QUESTION,
        RetrievalOptions(**options),
        reranker,
    )


def test_hits_stand_in_the_order_of_the_reranker(garden):
    plain = asked(garden, top_k=50)
    shortest = Shortest()
    found = asked(garden, lambda: shortest, top_k=3)
    assert shortest.seen == [min(len(plain.hits), 30)]
    assert len(found.hits) == 3
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    fused = {hit.chunk.key: hit.score for hit in plain.hits}
    assert [hit.retrieved for hit in found.hits] == [fused[hit.chunk.key] for hit in found.hits]
    assert set(found.timings_ms) == {"embed", "lexical", "dense", "rerank", "total"}


def test_what_was_not_reranked_follows_in_its_own_order(garden):
    plain = asked(garden, top_k=50)
    found = asked(garden, Shortest, top_k=50, rerank_depth=2)
    assert len(found.hits) == len(plain.hits) > 4
    assert [h.chunk.key for h in found.hits[2:]] == [h.chunk.key for h in plain.hits[2:]]
    assert {h.chunk.key for h in found.hits[:2]} == {h.chunk.key for h in plain.hits[:2]}
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)


def test_documents_are_reranked_by_their_best_chunk(garden):
    plain = asked(garden, top_k=50, by="document")
    found = asked(garden, Shortest, top_k=50, by="document")
    assert sorted(h.chunk.document for h in found.hits) == sorted(
        h.chunk.document for h in plain.hits
    )
    assert len({Path(hit.chunk.path) for hit in found.hits}) == len(found.hits)


def test_a_reranker_is_built_only_for_hits(garden):
    def never():
        pytest.fail("it was built")

    found = search(
        garden.ready(),
        lambda: garden.embedder,
        "zzqx",
        RetrievalOptions(mode="lexical"),
        never,
    )
    assert found.hits == []


def test_the_reason_names_both_scores(garden):
    found = asked(garden, Shortest, top_k=1, explain=True)
    assert f"reranked {found.hits[0].score:.2f}" in found.hits[0].why

"""Cohere's rerank against a server on this machine that speaks its wire format as documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback, Reply, loopback

from ragcli.errors import KeyRefused, MissingKey, ModelError, NetworkError, RateLimited
from ragcli.rerankers import build
from ragcli.rerankers.reranker import Reranker
from ragcli.settings import Reranker as Choice

KEY = "co-very-secret-0123456789"
TEXTS = ["of bees", "of tides", "of bread"]


def opened(url: str, key: str = KEY, **options: Any) -> Reranker:
    choice = Choice(use="cohere", base_url=url, **{"retries": 0, **options})
    keys = {"COHERE_API_KEY": key} if key else {}
    return build(choice, Path("/nowhere"), False, keys=keys, on_progress=lambda _: None)


def results(*scores: float) -> dict[str, Any]:
    """As documented: best first, each with the position of its text."""
    found = [{"index": at, "relevance_score": score} for at, score in enumerate(scores)]
    ranked = sorted(found, key=lambda one: -one["relevance_score"])
    return {"id": "x", "results": ranked, "meta": {"api_version": {"version": "2"}}}


def reply(body: dict[str, Any], status: int = 200, **headers: str) -> Reply:
    return Reply(status, [json.dumps(body).encode()], headers=headers)


def asked(server: Loopback) -> dict[str, Any]:
    body: dict[str, Any] = server.asked[-1].body
    return body


def test_scores_come_back_in_the_order_of_the_texts() -> None:
    with loopback(reply(results(0.2, 0.9, 0.4))) as server:
        reranker = opened(server.url, model="rerank-v3.5")
        assert reranker.score("When is high tide?", TEXTS) == [0.2, 0.9, 0.4]
        assert server.asked[-1].path == "/v2/rerank"
        assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
        assert asked(server) == {
            "model": "rerank-v3.5",
            "query": "When is high tide?",
            "documents": TEXTS,
        }
        reranker.close()


@pytest.mark.parametrize(
    ("status", "kind"), [(401, KeyRefused), (404, NetworkError), (429, RateLimited)]
)
def test_failures_are_one_sentence_without_the_key(status: int, kind: type[Exception]) -> None:
    with (
        loopback(reply({"message": f"no: {KEY}"}, status)) as server,
        pytest.raises(kind) as error,
    ):
        opened(server.url).score("Why?", TEXTS)
    assert KEY not in str(error.value)


def test_a_busy_server_is_asked_again() -> None:
    busy = reply({"message": "busy"}, 503, **{"retry-after": "0"})
    with loopback(busy, reply(results(0.1, 0.2, 0.3))) as server:
        assert opened(server.url, retries=2).score("Why?", TEXTS) == [0.1, 0.2, 0.3]


def test_an_answer_with_a_score_missing_is_refused() -> None:
    with (
        loopback(reply(results(0.2, 0.9))) as server,
        pytest.raises(ModelError, match="one score for each text"),
    ):
        opened(server.url).score("Why?", TEXTS)


def test_without_a_key_or_a_network_nothing_is_sent() -> None:
    with loopback() as server:
        with pytest.raises(MissingKey, match="COHERE_API_KEY"):
            opened(server.url, key="")
        assert server.asked == []
    with pytest.raises(NetworkError, match="--offline"):
        build(
            Choice(use="cohere"), Path("/"), True, keys={"COHERE_API_KEY": KEY}, on_progress=print
        )

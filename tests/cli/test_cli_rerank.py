"""`--rerank` on the command line, with a real cross-encoder and with a server on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calling import Run
from loopback import Reply, loopback
from models import make_cross_encoder

QUESTION = "When is the workshop closed?"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cross_encoder(tmp_path_factory.mktemp("cross") / "model")


def found(ragcli: Run, *arguments: str) -> dict[str, Any]:
    result = ragcli(*arguments, "--json")
    assert result.returncode == 0, result.stderr
    record: dict[str, Any] = json.loads(result.stdout)
    return record


def test_a_cross_encoder_orders_hits_anew(ragcli: Run, workshop: Path, model: Path) -> None:
    place = ("--data-dir", str(workshop), "--set", f"reranker.model={model}")
    plain = found(ragcli, "search", QUESTION, *place, "-k", "30")
    again = found(ragcli, "search", QUESTION, *place, "-k", "30", "--rerank")
    assert plain["reranker"] is None
    assert again["reranker"] == f"cross-encoder:{model}"
    scores = [hit["score"] for hit in again["hits"]]
    assert scores == sorted(scores, reverse=True)
    fused = {hit["chunk"]: hit["scores"]["fused"] for hit in plain["hits"]}
    assert {hit["chunk"]: hit["scores"]["fused"] for hit in again["hits"]} == fused
    assert [hit["chunk"] for hit in again["hits"]] != [hit["chunk"] for hit in plain["hits"]]
    switched = ("--set", "reranker.use=cross-encoder", "--no-rerank")
    assert found(ragcli, "search", QUESTION, *place, *switched)["reranker"] is None
    answered = ragcli("query", QUESTION, *place, "--rerank", "--json")
    assert json.loads(answered.stdout)["timings_ms"]["rerank"] > 0


def test_the_measure_of_reranking(ragcli: Run, workshop: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text(
        json.dumps({"question": QUESTION, "answer": "24 December to 2 January"}) + "\n"
    )
    place = ("--data-dir", str(workshop), "--set", f"reranker.model={model}")
    both = found(ragcli, "evaluate", "set.jsonl", *place, "--mode", "hybrid", "--mode", "reranked")
    assert set(both["modes"]) == {"hybrid", "reranked"}
    compared = found(ragcli, "evaluate", "set.jsonl", *place, "--compare", "hybrid", "reranked")
    assert [side["mode"] for side in compared["sides"]] == ["hybrid", "reranked"]
    configured = found(
        ragcli, "evaluate", "set.jsonl", *place, "--set", "reranker.use=cross-encoder"
    )
    assert configured["mode"] == "reranked"
    assert set(configured["modes"]) == {"hybrid", "dense", "lexical", "reranked"}


def test_a_server_orders_hits_anew(ragcli: Run, workshop: Path) -> None:
    results = [{"index": at, "relevance_score": score} for at, score in enumerate((0.1, 0.9))]
    reply = Reply(parts=[json.dumps({"results": results}).encode()])
    with loopback(reply) as server:
        options = (
            "reranker.use=cohere",
            f"reranker.base_url={server.url}",
            "retrieval.rerank_depth=2",
        )
        sets = [part for option in options for part in ("--set", option)]
        place = ("--data-dir", str(workshop), "-k", "2", *sets)
        hits = found(ragcli, "search", QUESTION, *place, "--set", "reranker.api_key_env=PATH")[
            "hits"
        ]
        assert [hit["score"] for hit in hits] == [0.9, 0.1]
        missing = ragcli("search", QUESTION, *place)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "COHERE_API_KEY" in missing.stderr


def test_a_model_that_is_not_there_is_one_line(ragcli: Run, workshop: Path) -> None:
    result = ragcli("search", QUESTION, "--data-dir", str(workshop), "--rerank", "--offline")
    assert (result.returncode, result.stdout) == (1, "")
    assert "cross-encoder/ms-marco-MiniLM-L6-v2 is not on this machine" in result.stderr
    doctor = ragcli("doctor", "--data-dir", str(workshop), "--set", "reranker.use=cross-encoder")
    assert "not on this machine yet" in doctor.stdout

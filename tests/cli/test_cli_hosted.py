"""Hosted models as a user meets them: keys, errors and exit codes, and a search by a server's vectors."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from calling import WORKSHOP, Run
from loopback import Asked, Loopback, Reply, loopback

KEY = "sk-very-secret-0123456789"
DIMENSION = 64


class Embeddings(Reply):
    """A server of embeddings: texts that share words lie near each other."""

    def answering(self, asked: Asked) -> Reply:
        items = [
            {"index": n, "embedding": vector_of(text)} for n, text in enumerate(asked.body["input"])
        ]
        return Reply(parts=[json.dumps({"data": items}).encode()])


def vector_of(text: str) -> list[float]:
    vector = [0.01] * DIMENSION
    for word in re.findall(r"\w{4,}", text.lower()):
        vector[zlib.crc32(word[:6].encode()) % DIMENSION] += 1
    return vector


@contextmanager
def embeddings() -> Iterator[Loopback]:
    with loopback(Embeddings()) as server:
        yield server


def embedder(server: Loopback, **more: Any) -> list[str]:
    options = {
        "use": "openai-compatible",
        "model": "word-vectors",
        "dimension": DIMENSION,
        "base_url": f"{server.url}/v1",
        **more,
    }
    return [part for key, value in options.items() for part in ("--set", f"embedder.{key}={value}")]


def test_ingest_and_search_by_a_server(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_COMPATIBLE_API_KEY={KEY}\n")
    with embeddings() as server:
        flags = [*embedder(server), "--offline", "--data-dir", "data"]
        done = ragcli("ingest", str(WORKSHOP), *flags, "--json")
        assert done.returncode == 0, done.stderr
        chunks = json.loads(done.stdout)["chunks"]
        sent = sum(len(asked.body["input"]) for asked in server.asked)
        assert sent >= chunks > 5
        assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
        again = ragcli("ingest", str(WORKSHOP), *flags)
        assert again.returncode == 0
        assert sum(len(asked.body["input"]) for asked in server.asked) == sent
        found = ragcli("search", "membership fee", "--mode", "dense", *flags, "--json")
        assert found.returncode == 0, found.stderr
        hits = json.loads(found.stdout)
        assert hits["embedder"] == "openai-compatible:word-vectors"
        assert any("member" in hit["text"].lower() for hit in hits["hits"][:3])
        other = ragcli("search", "fee", *flags, "--set", "embedder.model=other-vectors")
        assert other.returncode == 2
        assert "word-vectors" in other.stderr
        stopped = ragcli("search", "fee", "--mode", "lexical", *flags)
        assert stopped.returncode == 0
    down = ragcli("search", "fee", "--mode", "dense", *flags, "--json")
    assert (down.returncode, down.stdout) == (1, "")
    error = json.loads(down.stderr.strip().split("\n")[-1])["error"]
    assert error["code"] == "network"
    assert KEY not in down.stderr


def test_an_embedding_server_that_fails_leaves_words_to_search(ragcli: Run, tmp_path: Path) -> None:
    with loopback(Reply(401, [b'{"error": "Unauthorized"}'])) as server:
        flags = [*embedder(server), "--data-dir", "data"]
        done = ragcli("ingest", str(WORKSHOP), *flags)
        assert done.returncode == 1
        assert "asks for a key" in done.stderr
        assert "Traceback" not in done.stderr
    with embeddings() as server:
        flags = [*embedder(server), "--data-dir", "data"]
        assert ragcli("ingest", str(WORKSHOP), *flags).returncode == 0
        assert ragcli("search", "fee", *flags).returncode == 0


@pytest.mark.parametrize("llm", ["openai:gpt-4.1-mini", "anthropic:claude-haiku-4-5"])
def test_a_missing_key_is_named_before_anything_is_sent(
    ragcli: Run, workshop: Path, llm: str
) -> None:
    done = ragcli("query", "What is the fee?", "--llm", llm, "--data-dir", str(workshop), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    error = json.loads(done.stderr.strip().split("\n")[-1])["error"]
    assert error["code"] == "missing-key"
    assert f"{llm.partition(':')[0].upper()}_API_KEY" in error["message"]
    assert ".env" in error["fix"]


def test_a_refused_key_is_one_line(ragcli: Run, workshop: Path) -> None:
    body = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    with loopback(Reply(401, [json.dumps(body).encode()])) as server:
        done = ragcli(
            "query", "What is the fee?", "--llm", "openai:gpt-4.1-mini",
            "--set", f"llm.base_url={server.url}/v1", "--data-dir", str(workshop), "--json",
            env={"OPENAI_API_KEY": KEY},
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads(done.stderr.strip().split("\n")[-1])["error"]["code"] == "key-refused"
    assert KEY not in done.stderr


def test_offline_refuses_a_provider(ragcli: Run, workshop: Path) -> None:
    done = ragcli(
        "query", "What is the fee?", "--config", "claude", "--offline",
        "--data-dir", str(workshop), env={"ANTHROPIC_API_KEY": KEY},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "--offline forbids llm anthropic, which would ask api.anthropic.com" in done.stderr


def test_profiles_are_listed_and_copied(ragcli: Run, tmp_path: Path) -> None:
    listed = ragcli("config", "list", "--json")
    names = [profile["name"] for profile in json.loads(listed.stdout)["profiles"]]
    assert {"default", "openai", "claude", "gemini", "deepseek", "ollama"} <= set(names)
    assert ragcli("config", "copy", "openai", "mine.yaml").returncode == 0
    shown = ragcli("config", "show", "llm", "--config", "mine.yaml", "--config", "ollama", "--json")
    settings = json.loads(shown.stdout)["settings"]
    assert settings["llm.use"]["value"] == "ollama"
    assert settings["llm.model"]["origin"].endswith("ollama.yaml")


def test_doctor_names_the_hosts(ragcli: Run) -> None:
    flags = [
        "--config",
        "openai",
        "--set",
        "embedder.use=cohere",
        "--set",
        "embedder.model=embed-v4.0",
    ]
    done = ragcli("doctor", "--json", *flags)
    findings = {item["part"]: item for item in json.loads(done.stdout)["findings"]}
    assert "api.openai.com" in findings["network"]["detail"]
    assert "api.cohere.com" in findings["network"]["detail"]
    assert findings["embedder"]["ok"] is False
    assert "COHERE_API_KEY" in findings["embedder"]["detail"]

"""Every hosted embedder against a server that speaks its provider's wire format: one suite for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback import Asked, Loopback, Reply, loopback

from ragcli.embedders import EMBEDDERS, build, describe
from ragcli.embedders.embedder import SentenceEmbedder
from ragcli.errors import (
    ConfigError,
    ContextTooLong,
    KeyRefused,
    MissingKey,
    ModelError,
    NetworkError,
    RagcliError,
    RateLimited,
)
from ragcli.hosted.provider import PROVIDERS
from ragcli.settings import Embedder

KEY = "sk-very-secret-0123456789"
KEYS = {provider.key: KEY for provider in PROVIDERS.values()}
DIMENSION = 8
NOWHERE = Path("/nowhere")


@dataclass(frozen=True)
class Dialect:
    """One provider on the wire: what it is asked, and how it answers vectors."""

    use: str
    model: str
    base: str
    path: str
    key: Callable[[dict[str, str]], str]
    texts: Callable[[dict[str, Any]], list[str]]
    kind: Callable[[dict[str, Any]], Any]
    kinds: tuple[Any, Any]
    answer: Callable[[Sequence[Sequence[float]]], Any]
    most: int
    errors: dict[str, tuple[int, Any]]


def bearer(headers: dict[str, str]) -> str:
    return headers["authorization"].removeprefix("Bearer ")


def numbered(vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    """As OpenAI answers; the order of the list is not the order of the texts."""
    items = [
        {"object": "embedding", "index": n, "embedding": list(v)} for n, v in enumerate(vectors)
    ]
    return {"object": "list", "data": items[::-1], "model": "m", "usage": {"total_tokens": 3}}


OPENAI_ERRORS: dict[str, tuple[int, Any]] = {
    "key": (401, {"error": {"message": f"Incorrect API key: {KEY}", "code": "invalid_api_key"}}),
    "model": (404, {"error": {"message": "The model `m` does not exist", "code": None}}),
    "limit": (429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}),
    "long": (
        400,
        {"error": {"message": "This model's maximum context length is 8192 tokens", "code": None}},
    ),
}
DIALECTS = (
    Dialect(
        "openai", "text-embedding-3-small", "/v1", "/v1/embeddings", bearer,
        lambda body: body["input"], lambda body: None, (None, None), numbered, 512, OPENAI_ERRORS,
    ),
    Dialect(
        "openai-compatible", "some-model", "/v1", "/v1/embeddings", bearer,
        lambda body: body["input"], lambda body: None, (None, None), numbered, 64, OPENAI_ERRORS,
    ),
    Dialect(
        "mistral", "mistral-embed", "/v1", "/v1/embeddings", bearer,
        lambda body: body["input"], lambda body: None, (None, None), numbered, 128,
        {
            "key": (401, {"detail": "Unauthorized"}),
            "model": (400, {"object": "error", "message": "Invalid model: m", "code": "1500"}),
            "limit": (429, {"message": "Requests rate limit exceeded"}),
            "long": (400, {"message": "Too many tokens overall, split into more batches."}),
        },
    ),
    Dialect(
        "cohere", "embed-v4.0", "", "/v2/embed", bearer,
        lambda body: body["texts"], lambda body: body["input_type"],
        ("search_document", "search_query"),
        lambda vectors: {"id": "e", "embeddings": {"float": vectors}, "texts": []}, 96,
        {
            "key": (401, {"message": "invalid api token"}),
            "model": (404, {"message": "model 'm' not found, make sure the correct model ID"}),
            "limit": (429, {"message": "You are using a Trial key, limited to 20 calls / minute"}),
            "long": (400, {"message": "too many tokens: text 0 has more than 512 tokens"}),
        },
    ),
    Dialect(
        "google", "gemini-embedding-001", "",
        "/v1beta/models/gemini-embedding-001:batchEmbedContents",
        lambda headers: headers["x-goog-api-key"],
        lambda body: [item["content"]["parts"][0]["text"] for item in body["requests"]],
        lambda body: body["requests"][0]["taskType"],
        ("RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"),
        lambda vectors: {"embeddings": [{"values": vector} for vector in vectors]}, 100,
        {
            "key": (400, {"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}}),
            "model": (404, {"error": {"message": "models/m is not found", "status": "NOT_FOUND"}}),
            "limit": (429, {"error": {"message": "Quota", "status": "RESOURCE_EXHAUSTED"}}),
            "long": (400, {"error": {"message": "The input token count exceeds the maximum"}}),
        },
    ),
    Dialect(
        "ollama", "nomic-embed-text:latest", "", "/api/embed", bearer,
        lambda body: body["input"], lambda body: body["input"][0].partition(":")[0],
        ("search_document", "search_query"),
        lambda vectors: {"model": "m", "embeddings": vectors}, 32,
        {
            "key": (401, {"error": "unauthorized"}),
            "model": (404, {"error": 'model "m" not found, try pulling it first'}),
            "limit": (429, {"error": "too many requests"}),
            "long": (400, {"error": "the input length exceeds the context length"}),
        },
    ),
)  # fmt: skip
every = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.use)


def vector_of(text: str) -> list[float]:
    """A vector that tells texts apart, and is not of unit length."""
    number = int(text.rpartition(" ")[2])
    return [float(number + 1), *(float(number % (n + 2)) for n in range(1, DIMENSION))]


class Serving(Reply):
    """A reply that is computed from what was asked."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self.dialect = dialect

    def answering(self, asked: Asked) -> Reply:
        vectors = [vector_of(text) for text in self.dialect.texts(asked.body)]
        return Reply(parts=[json.dumps(self.dialect.answer(vectors)).encode()])


@contextmanager
def serving(dialect: Dialect, *before: Reply) -> Iterator[Loopback]:
    with loopback(*before, Serving(dialect)) as server:
        yield server


def choice(dialect: Dialect, url: str, **options: Any) -> Embedder:
    given = {
        "use": dialect.use,
        "model": dialect.model,
        "base_url": url + dialect.base,
        "dimension": DIMENSION,
        "retries": 2,
        **options,
    }
    return Embedder.model_validate(given)


def embedder(dialect: Dialect, url: str, **options: Any) -> SentenceEmbedder:
    return build(choice(dialect, url, **options), NOWHERE, False, keys=KEYS)


def test_the_suite_knows_every_hosted_plug() -> None:
    assert {dialect.use for dialect in DIALECTS} == set(EMBEDDERS) - {"sentence-transformers"}


@every
def test_documents_come_back_in_order_as_unit_vectors(dialect: Dialect) -> None:
    texts = [f"text number {n}" for n in range(dialect.most * 2 + 3)]
    with serving(dialect) as server:
        found = embedder(dialect, server.url).encode(texts)
    wanted = np.array([vector_of(text) for text in texts], np.float32)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    sizes = [len(dialect.texts(asked.body)) for asked in server.asked]
    assert sizes == [dialect.most, dialect.most, 3]
    assert {asked.path for asked in server.asked} == {dialect.path}
    assert {dialect.key(asked.headers) for asked in server.asked} == {KEY}


@every
def test_questions_are_told_from_documents(dialect: Dialect) -> None:
    with serving(dialect) as server:
        model = embedder(dialect, server.url)
        model.embed_documents(["a document 1"])
        model.embed_query("a question 2")
    kinds = tuple(dialect.kind(asked.body) for asked in server.asked)
    assert kinds == dialect.kinds


@every
def test_the_same_vectors_whatever_the_batches(dialect: Dialect) -> None:
    texts = [f"{'long ' * (n % 40)}text {n}" for n in range(70)]
    with serving(dialect) as server:
        model = embedder(dialect, server.url)
        together = model.encode(texts)
        alone = np.concatenate([model.encode([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


@every
@pytest.mark.parametrize(
    ("kind", "expected"), [("key", KeyRefused), ("model", ModelError), ("long", RagcliError)]
)
def test_a_refusal_is_said_at_once(
    dialect: Dialect, kind: str, expected: type[RagcliError]
) -> None:
    status, body = dialect.errors[kind]
    with loopback(Reply(status, [json.dumps(body).encode()])) as server:
        model = embedder(dialect, server.url)
        with pytest.raises(expected) as caught:
            model.encode(["a text 1"])
    assert len(server.asked) == 1
    assert KEY not in caught.value.message + caught.value.fix
    assert "llm." not in caught.value.message + caught.value.fix
    if kind == "long":
        assert isinstance(caught.value, ContextTooLong)
        assert "embedder.max_tokens" in caught.value.fix


@every
def test_a_busy_server_is_asked_again(dialect: Dialect) -> None:
    status, body = dialect.errors["limit"]
    busy = Reply(status, [json.dumps(body).encode()], headers={"retry-after": "0.01"})
    with serving(dialect, busy, busy) as server:
        embedder(dialect, server.url).encode(["a text 1"])
        assert len(server.asked) == 3
    with loopback(busy) as server:
        with pytest.raises(RateLimited):
            embedder(dialect, server.url).encode(["a text 1"])
        assert len(server.asked) == 3


@every
def test_a_silent_server_and_one_that_is_not_there(dialect: Dialect) -> None:
    with loopback(Reply(silent=True)) as server:
        model = embedder(dialect, server.url, timeout_s=0.3)
        with pytest.raises(NetworkError, match="silent"):
            model.encode(["a text 1"])
        assert len(server.asked) == 1
    with pytest.raises(NetworkError, match="cannot be reached"):
        model.encode(["a text 1"])


@every
@pytest.mark.parametrize("page", [b"<html></html>", b"{}", b"[]", b'{"data": 3}'])
def test_an_answer_of_something_else_is_an_error(dialect: Dialect, page: bytes) -> None:
    with loopback(Reply(parts=[page])) as server, pytest.raises(ModelError):
        embedder(dialect, server.url).encode(["a text 1"])


@every
@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([[1.0] * 5], "length 5, not 8"),
        ([[1.0] * DIMENSION] * 2, "one vector for each text"),
        ([[0.0] * DIMENSION], "no direction"),
        ([[float("nan")] * DIMENSION], "no direction"),
    ],
)
def test_vectors_that_cannot_be_are_refused(
    dialect: Dialect, vectors: list[list[float]], words: str
) -> None:
    page = json.dumps(dialect.answer(vectors)).encode()
    with loopback(Reply(parts=[page])) as server, pytest.raises(ModelError, match=words):
        embedder(dialect, server.url).encode(["a text 1"])


@every
def test_a_redirect_is_refused_and_carries_nothing(dialect: Dialect) -> None:
    with serving(dialect) as other:
        target = {"location": f"http://localhost:{other.port}{dialect.path}"}
        with (
            loopback(Reply(307, [b""], headers=target)) as server,
            pytest.raises(NetworkError, match="redirects"),
        ):
            embedder(dialect, server.url).encode(["a text 1"])
        assert other.asked == []


@every
def test_the_fingerprint_names_what_decides_a_vector(dialect: Dialect) -> None:
    def fingerprint(**options: Any) -> str:
        return describe(choice(dialect, "http://127.0.0.1:9", **options), NOWHERE, True).fingerprint

    assert fingerprint() == fingerprint(timeout_s=5, base_url="http://127.0.0.1:8", max_tokens=100)
    others = [
        fingerprint(model="another"),
        fingerprint(dimension=16),
        fingerprint(document_prompt="passage: "),
    ]
    assert len({fingerprint(), *others}) == 4
    prints = {
        describe(choice(each, "http://127.0.0.1:9", model="same"), NOWHERE, True).fingerprint
        for each in DIALECTS
    }
    assert len(prints) == len(DIALECTS)


@every
def test_offline_allows_this_machine_only(dialect: Dialect) -> None:
    with serving(dialect) as server:
        model = build(choice(dialect, server.url), NOWHERE, True, keys=KEYS)
        assert model.encode(["a text 1"]).shape == (1, DIMENSION)
    with pytest.raises(NetworkError, match="--offline"):
        build(choice(dialect, "http://192.0.2.1"), NOWHERE, True, keys=KEYS)


@every
def test_a_key_that_is_missing(dialect: Dialect) -> None:
    chosen = choice(dialect, "http://127.0.0.1:9", api_key_env="MY_OWN_KEY")
    with pytest.raises(MissingKey, match="MY_OWN_KEY"):
        build(chosen, NOWHERE, False, keys=KEYS)
    describe(chosen, NOWHERE, False)


def test_what_is_known_of_a_model_needs_no_setting() -> None:
    info = describe(Embedder(use="openai", model="text-embedding-3-large"), NOWHERE, False)
    assert (info.dimension, info.max_tokens, info.host) == (3072, 512, "api.openai.com")
    assert info.tokenizer.is_file()
    small = describe(Embedder(use="cohere", model="embed-english-v3.0"), NOWHERE, False)
    assert small.max_tokens <= 256


def test_what_is_not_known_must_be_set() -> None:
    with pytest.raises(ConfigError, match=r"embedder\.dimension is missing"):
        describe(Embedder(use="openai", model="text-embedding-9"), NOWHERE, False)
    with pytest.raises(ConfigError, match=r"embedder\.base_url is missing"):
        describe(Embedder(use="openai-compatible", model="m", dimension=3), NOWHERE, False)
    with pytest.raises(ConfigError, match=r"reads 512 tokens"):
        describe(Embedder(use="cohere", model="embed-english-v3.0", max_tokens=900), NOWHERE, False)


def test_a_shorter_vector_is_asked_for() -> None:
    (openai,) = (dialect for dialect in DIALECTS if dialect.use == "openai")
    (google,) = (dialect for dialect in DIALECTS if dialect.use == "google")
    for dialect, place in ((openai, "dimensions"), (google, "outputDimensionality")):
        with serving(dialect) as server:
            embedder(dialect, server.url).encode(["a text 1"])
        (asked,) = server.asked
        body = asked.body["requests"][0] if dialect is google else asked.body
        assert body[place] == DIMENSION


def test_a_text_beyond_what_the_model_reads_is_cut_and_said() -> None:
    (cohere,) = (dialect for dialect in DIALECTS if dialect.use == "cohere")
    long = f"{'unbroken' * 4000} 5"
    page = json.dumps(cohere.answer([[1.0] * DIMENSION] * 2)).encode()
    with loopback(Reply(parts=[page])) as server:
        model = embedder(cohere, server.url, model="embed-english-v3.0")
        model.encode(["short 1", long])
    (asked,) = server.asked
    short, sent = asked.body["texts"]
    assert short == "short 1"
    assert long.startswith(sent)
    assert len(sent) <= 3 * 512
    assert model.truncated == [1]

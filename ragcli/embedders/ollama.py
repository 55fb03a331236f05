"""The plug for embedding models that Ollama serves, here or on another machine."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ragcli.embedders.hosted import Call, EmbedOptions, HostedPlug, Known, Wire, bearer
from ragcli.hosted.provider import OLLAMA

MODELS = {
    "nomic-embed-text": Known(768, 2048, "search_document: ", "search_query: "),
    "mxbai-embed-large": Known(
        1024, 512, "", "Represent this sentence for searching relevant passages: "
    ),
    "all-minilm": Known(384, 256),
    "bge-m3": Known(1024, 8192),
    "snowflake-arctic-embed2": Known(1024, 8192, "", "query: "),
    "embeddinggemma": Known(768, 2048, "title: none | text: ", "task: search result | query: "),
}


class Options(EmbedOptions):
    """Settings of the section `embedder` when it uses Ollama."""

    timeout_s: float = Field(
        600,
        gt=0,
        le=3600,
        description="Longest silence of the server, in seconds; it first loads the model.",
    )


def body(call: Call) -> dict[str, Any]:
    """One request; a text that is too long is refused rather than cut."""
    request = {"model": call.model, "input": call.texts, "truncate": False}
    return request if call.dimension is None else {**request, "dimensions": call.dimension}


def vectors(answer: Any) -> list[list[float]]:
    """The vectors in the order of the texts."""
    found: list[list[float]] = answer["embeddings"]
    return found


WIRE = Wire(
    provider=OLLAMA,
    models=MODELS,
    most_texts=32,
    most_tokens=16_000,
    path=lambda model: "/api/embed",
    body=body,
    vectors=vectors,
    headers=bearer,
)

_PLUG = HostedPlug(WIRE, Options)
describe, build = _PLUG.describe, _PLUG.build

"""The plug for OpenAI's embedding models."""

from __future__ import annotations

from typing import Any

from ragcli.embedders.hosted import Call, EmbedOptions, HostedPlug, Known, Wire, bearer
from ragcli.hosted.provider import OPENAI

Options = EmbedOptions

MODELS = {
    "text-embedding-3-small": Known(1536, 8191),
    "text-embedding-3-large": Known(3072, 8191),
    "text-embedding-ada-002": Known(1536, 8191),
}


def body(call: Call) -> dict[str, Any]:
    """One request, as OpenAI and those who speak like it take it."""
    request = {"model": call.model, "input": call.texts, "encoding_format": "float"}
    return request if call.dimension is None else {**request, "dimensions": call.dimension}


def vectors(answer: Any) -> list[list[float]]:
    """The vectors in the order of the texts, which the answer numbers."""
    items = sorted(answer["data"], key=lambda item: int(item["index"]))
    return [item["embedding"] for item in items]


WIRE = Wire(
    provider=OPENAI,
    models=MODELS,
    most_texts=512,
    most_tokens=250_000,
    path=lambda model: "/embeddings",
    body=body,
    vectors=vectors,
    headers=bearer,
)

_PLUG = HostedPlug(WIRE, Options)
describe, build = _PLUG.describe, _PLUG.build

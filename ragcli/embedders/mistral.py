"""The plug for Mistral's embedding models."""

from __future__ import annotations

from typing import Any

from ragcli.embedders.hosted import Call, EmbedOptions, HostedPlug, Known, Wire, bearer
from ragcli.embedders.openai import vectors
from ragcli.hosted.provider import MISTRAL

Options = EmbedOptions

MODELS = {
    "mistral-embed": Known(1024, 8192),
    "codestral-embed": Known(1536, 8192),
}


def body(call: Call) -> dict[str, Any]:
    """One request."""
    request = {"model": call.model, "input": call.texts}
    return request if call.dimension is None else {**request, "output_dimension": call.dimension}


WIRE = Wire(
    provider=MISTRAL,
    models=MODELS,
    most_texts=128,
    most_tokens=16_000,
    path=lambda model: "/embeddings",
    body=body,
    vectors=vectors,
    headers=bearer,
)

_PLUG = HostedPlug(WIRE, Options)
describe, build = _PLUG.describe, _PLUG.build

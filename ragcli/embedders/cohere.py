"""The plug for Cohere's embedding models, which tell documents from questions."""

from __future__ import annotations

from typing import Any

from ragcli.embedders.hosted import Call, EmbedOptions, HostedPlug, Known, Wire, bearer
from ragcli.hosted.provider import COHERE

Options = EmbedOptions

MODELS = {
    "embed-v4.0": Known(1536, 128_000),
    "embed-english-v3.0": Known(1024, 512),
    "embed-multilingual-v3.0": Known(1024, 512),
    "embed-english-light-v3.0": Known(384, 512),
    "embed-multilingual-light-v3.0": Known(384, 512),
}
INPUTS = ("search_document", "search_query")


def body(call: Call) -> dict[str, Any]:
    """One request; a text that is too long is refused rather than cut."""
    request = {
        "model": call.model,
        "texts": call.texts,
        "input_type": INPUTS[call.query],
        "embedding_types": ["float"],
        "truncate": "NONE",
    }
    return request if call.dimension is None else {**request, "output_dimension": call.dimension}


def vectors(answer: Any) -> list[list[float]]:
    """The vectors in the order of the texts."""
    found: list[list[float]] = answer["embeddings"]["float"]
    return found


WIRE = Wire(
    provider=COHERE,
    models=MODELS,
    most_texts=96,
    most_tokens=100_000,
    path=lambda model: "/v2/embed",
    body=body,
    vectors=vectors,
    headers=bearer,
    inputs=INPUTS,
)

_PLUG = HostedPlug(WIRE, Options)
describe, build = _PLUG.describe, _PLUG.build

"""The plug for Google's embedding models, which tell documents from questions."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ragcli.embedders.hosted import Call, EmbedOptions, HostedPlug, Known, Wire
from ragcli.hosted.provider import GOOGLE

Options = EmbedOptions

MODELS = {
    "gemini-embedding-001": Known(3072, 2048),
    # Takes no task type; the task stands in front of the text instead.
    "gemini-embedding-2": Known(
        3072, 8192, "title: none | text: ", "task: search result | query: "
    ),
}
INPUTS = ("RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY")


def body(call: Call) -> dict[str, Any]:
    """One request for many texts, each a request of its own."""
    more: dict[str, Any] = {}
    if not _known(call.model).document_prompt:
        more["taskType"] = INPUTS[call.query]
    if call.dimension is not None:
        more["outputDimensionality"] = call.dimension
    model = f"models/{call.model}"
    return {
        "requests": [
            {"model": model, "content": {"parts": [{"text": text}]}, **more} for text in call.texts
        ]
    }


def vectors(answer: Any) -> list[list[float]]:
    """The vectors in the order of the texts."""
    return [item["values"] for item in answer["embeddings"]]


def _known(model: str) -> Known:
    return MODELS.get(model, Known(0, 0))


WIRE = Wire(
    provider=GOOGLE,
    models=MODELS,
    most_texts=100,
    most_tokens=20_000,
    path=lambda model: f"/v1beta/models/{quote(model, safe='')}:batchEmbedContents",
    body=body,
    vectors=vectors,
    headers=lambda key: {"x-goog-api-key": key},
    inputs=INPUTS,
)

_PLUG = HostedPlug(WIRE, Options)
describe, build = _PLUG.describe, _PLUG.build

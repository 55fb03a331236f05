"""The plug for embedding models on any server that speaks OpenAI's interface."""

from __future__ import annotations

from pydantic import Field

from ragcli.embedders.hosted import EmbedOptions, HostedPlug, Wire, bearer
from ragcli.embedders.openai import body, vectors
from ragcli.hosted.provider import OPENAI_COMPATIBLE


class Options(EmbedOptions):
    """Settings of the section `embedder` when it uses a server that speaks OpenAI's interface."""

    base_url: str | None = Field(
        None, description="Address of the server, such as http://127.0.0.1:8000/v1; required."
    )
    dimension: int | None = Field(
        None, ge=1, le=16_384, description="Length of the vectors of the model; required."
    )


WIRE = Wire(
    provider=OPENAI_COMPATIBLE,
    models={},
    most_texts=64,
    most_tokens=32_000,
    path=lambda model: "/embeddings",
    body=body,
    vectors=vectors,
    headers=bearer,
)

_PLUG = HostedPlug(WIRE, Options)
describe, build = _PLUG.describe, _PLUG.build

"""The plug for models that Ollama serves, here or on another machine, over langchain-ollama."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ragcli.hosted.access import Access
from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.provider import OLLAMA
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 8192


class Options(ChatOptions):
    """Settings of the section `llm` when it uses Ollama."""

    timeout_s: float = Field(
        600,
        gt=0,
        le=3600,
        description="Longest silence of the server, in seconds; it first loads the model.",
    )
    window: int | None = Field(
        None,
        ge=256,
        description="Tokens that the model is told to read, answer included;"
        f" by default {WINDOW}. Ollama cuts a longer prompt without a word.",
    )


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(OLLAMA, options, resources)
    from langchain_ollama import ChatOllama

    from ragcli.llms.hosted import HostedChat

    class Chat(HostedChat, ChatOllama):
        """Ollama's chat model."""

    known = Known({}, options.model, WINDOW)
    chat = Chat(
        model=options.model,
        base_url=access.url,
        num_predict=known.answer(options),
        num_ctx=known.window(options),
        temperature=known.temperature(options),
        sync_client_kwargs=client_arguments(access),
    )
    return finished(chat, access, options, known)


def client_arguments(access: Access) -> dict[str, Any]:
    """Arguments of the package's client.

    The key is set on each request: by itself the package sends OLLAMA_API_KEY to any host, and a
    header among its arguments would be shown with them.
    """
    import httpx

    def set_key(request: Any) -> None:
        request.headers.pop("authorization", None)
        if access.key:
            request.headers["authorization"] = f"Bearer {access.key}"

    options = client_options(access)
    options["event_hooks"]["request"].append(set_key)
    return {**options, "timeout": httpx.Timeout(**seconds(access))}

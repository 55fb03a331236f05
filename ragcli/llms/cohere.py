"""The plug for Cohere's models, over langchain-cohere and version 2 of the chat interface."""

from __future__ import annotations

from typing import Any

from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.provider import COHERE
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 128_000


class Options(ChatOptions):
    """Settings of the section `llm` when it uses Cohere."""


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(COHERE, options, resources)
    import cohere
    import httpx
    from langchain_cohere import ChatCohere

    from ragcli.llms.hosted import HostedChat

    known = Known({}, options.model, WINDOW)

    class Chat(HostedChat, ChatCohere):
        """Cohere's chat model, with the parameters that its own class cannot be given."""

        @property
        def _default_params(self) -> dict[str, Any]:
            own = {"max_tokens": known.answer(options), "request_options": {"max_retries": 0}}
            return {**super()._default_params, **own}

    chat = Chat(
        model=options.model,
        cohere_api_key=access.key,
        base_url=access.url,
        temperature=known.temperature(options),
        timeout_seconds=access.timeout_s,
    )
    chat.client = cohere.Client(
        api_key=access.key,
        base_url=access.url,
        httpx_client=httpx.Client(
            timeout=httpx.Timeout(**seconds(access)), **client_options(access)
        ),
    )
    return finished(chat, access, options, known)

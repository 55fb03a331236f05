"""The plug for Mistral's models, over langchain-mistralai."""

from __future__ import annotations

from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.provider import MISTRAL
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 32_000


class Options(ChatOptions):
    """Settings of the section `llm` when it uses Mistral."""


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(MISTRAL, options, resources)
    import httpx
    from langchain_mistralai import ChatMistralAI
    from langchain_mistralai.data._profiles import _PROFILES

    from ragcli.llms.hosted import HostedChat

    class Chat(HostedChat, ChatMistralAI):  # type: ignore[misc]  # a parameter more
        """Mistral's chat model."""

    known = Known(_PROFILES, options.model, WINDOW)
    chat = Chat(
        model=options.model,
        api_key=access.key,
        base_url=access.url,
        max_tokens=known.answer(options),
        temperature=known.temperature(options),
        # Attempts, not further ones.
        max_retries=1,
        client=httpx.Client(
            base_url=access.url,
            headers={"Authorization": f"Bearer {access.key}"},
            timeout=httpx.Timeout(**seconds(access)),
            **client_options(access),
        ),
    )
    return finished(chat, access, options, known)

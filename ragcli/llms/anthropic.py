"""The plug for Anthropic's models (Claude), over langchain-anthropic."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.provider import ANTHROPIC
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 200_000


class Options(ChatOptions):
    """Settings of the section `llm` when it uses Anthropic."""


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(ANTHROPIC, options, resources)
    import anthropic
    from langchain_anthropic import ChatAnthropic
    from langchain_anthropic.data._profiles import _PROFILES

    from ragcli.llms.hosted import HostedChat

    class Chat(HostedChat, ChatAnthropic):
        """Anthropic's chat model, on a client that follows no redirect."""

        @cached_property
        def _client(self) -> Any:
            transport = anthropic.DefaultHttpxClient(
                timeout=anthropic.Timeout(**seconds(access)), **client_options(access)
            )
            return anthropic.Client(**self._client_params, http_client=transport)

    known = Known(_PROFILES, options.model, WINDOW)
    chat = Chat(
        model=options.model,
        api_key=access.key,
        base_url=access.url,
        max_tokens=known.answer(options),
        # Models newer than the vendor's table refuse a temperature, as the newest in it do.
        temperature=known.temperature(options, accepted=False),
        # Zero and less mean here that the client's own time-outs hold.
        timeout=0,
        max_retries=0,
        anthropic_proxy=None,
    )
    return finished(chat, access, options, known)

"""The plug for OpenAI's models, over langchain-openai and the Chat Completions interface."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.provider import OPENAI
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

if TYPE_CHECKING:
    from openai import DefaultHttpxClient

    from ragcli.hosted.access import Access

WINDOW = 128_000
THINKS = re.compile(r"o\d|gpt-(?:5(?!.*-chat)|[6-9])")
"""Models that refuse a temperature, for names that the vendor's table does not know yet."""


class Options(ChatOptions):
    """Settings of the section `llm` when it uses OpenAI."""


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(OPENAI, options, resources)
    from langchain_openai import ChatOpenAI
    from langchain_openai.data._profiles import _PROFILES

    from ragcli.llms.hosted import HostedChat

    class Chat(HostedChat, ChatOpenAI):
        """OpenAI's chat model."""

    known = Known(_PROFILES, options.model, WINDOW)
    chat = Chat(
        model=options.model,
        api_key=access.key,
        base_url=access.url,
        max_completion_tokens=known.answer(options),
        temperature=known.temperature(options, accepted=not THINKS.match(options.model)),
        max_retries=0,
        stream_usage=True,
        use_responses_api=False,
        openai_proxy=None,
        http_client=http_client(access),
    )
    return finished(chat, access, options, known)


def http_client(access: Access) -> DefaultHttpxClient:
    """The SDK's own client with our manners."""
    from openai import DefaultHttpxClient, Timeout

    return DefaultHttpxClient(timeout=Timeout(**seconds(access)), **client_options(access))

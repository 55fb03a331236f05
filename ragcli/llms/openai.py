"""The plug for OpenAI's models, over langchain-openai and the Chat Completions interface."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.provider import OPENAI
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

if TYPE_CHECKING:
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
        stream_usage=True,
        use_responses_api=False,
        **patient(access),
    )
    return finished(chat, access, options, known)


def patient(access: Access) -> dict[str, Any]:
    """Arguments of a chat model of langchain-openai: our client, our time-outs, no other attempts."""
    from openai import DefaultHttpxClient, Timeout

    timeout = Timeout(**seconds(access))
    return {
        "max_retries": 0,
        "timeout": timeout,
        "http_client": DefaultHttpxClient(timeout=timeout, **client_options(access)),
        "openai_proxy": None,
        # Of the asynchronous client, which is made and never used.
        "http_socket_options": (),
    }

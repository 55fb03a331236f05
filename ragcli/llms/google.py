"""The plug for Google's models (Gemini), over langchain-google-genai and the Developer API."""

from __future__ import annotations

import re

from ragcli.hosted.client import client_options
from ragcli.hosted.provider import GOOGLE
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 128_000
FIXED = re.compile(r"(?:models/)?gemini-(?:[3-9]|\d\d)")
"""Models that Google advises to leave at their own temperature: a lower one makes them repeat."""


class Options(ChatOptions):
    """Settings of the section `llm` when it uses Google."""


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(GOOGLE, options, resources)
    from langchain_google_genai import ChatGoogleGenerativeAI
    from langchain_google_genai.data._profiles import _PROFILES

    from ragcli.llms.hosted import HostedChat

    class Chat(HostedChat, ChatGoogleGenerativeAI):
        """Google's chat model."""

    known = Known(_PROFILES, options.model.removeprefix("models/"), WINDOW)
    fixed = options.temperature is None and FIXED.match(options.model)
    chat = Chat(
        model=options.model,
        api_key=access.key,
        base_url=access.url,
        max_output_tokens=known.answer(options),
        temperature=None if fixed else known.temperature(options),
        timeout=access.timeout_s,
        # One attempt; the SDK reads 0 as its own default.
        max_retries=1,
        vertexai=False,
        client_args=client_options(access),
    )
    return finished(chat, access, options, known)

"""The plug for DeepSeek's models, over langchain-deepseek."""

from __future__ import annotations

from ragcli.hosted.provider import DEEPSEEK
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 64_000


class Options(ChatOptions):
    """Settings of the section `llm` when it uses DeepSeek."""


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(DEEPSEEK, options, resources)
    from langchain_deepseek import ChatDeepSeek
    from langchain_deepseek.data._profiles import _PROFILES

    from ragcli.llms.hosted import HostedChat
    from ragcli.llms.openai import patient

    class Chat(HostedChat, ChatDeepSeek):
        """DeepSeek's chat model."""

    known = Known(_PROFILES, options.model, WINDOW)
    chat = Chat(
        model_name=options.model,
        api_key=access.key,
        base_url=access.url,
        max_tokens=known.answer(options),
        temperature=known.temperature(options),
        **patient(access),
    )
    return finished(chat, access, options, known)

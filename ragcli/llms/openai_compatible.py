"""The plug for any server that speaks OpenAI's chat interface: vLLM, llama.cpp, LM Studio and others."""

from __future__ import annotations

from pydantic import Field

from ragcli.hosted.provider import OPENAI_COMPATIBLE
from ragcli.llms.hosted_options import ChatOptions, Known, finished, reach
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

WINDOW = 4096
NO_KEY = "none"


class Options(ChatOptions):
    """Settings of the section `llm` when it uses a server that speaks OpenAI's interface."""

    base_url: str | None = Field(
        None, description="Address of the server, such as http://127.0.0.1:8000/v1; required."
    )
    window: int | None = Field(
        None,
        ge=256,
        description=f"Tokens that the model reads, answer included; by default {WINDOW}.",
    )


def build(options: Options, resources: Resources) -> Llm:
    """The model, ready to be asked; sends nothing yet."""
    access = reach(OPENAI_COMPATIBLE, options, resources)
    from langchain_openai.chat_models.base import BaseChatOpenAI

    from ragcli.llms.hosted import HostedChat
    from ragcli.llms.openai import patient

    class Chat(HostedChat, BaseChatOpenAI):
        """The chat model of a server; it is sent `max_tokens`, which all of them know."""

    known = Known({}, options.model, WINDOW)
    chat = Chat(
        model=options.model,
        # The SDK insists on a key; servers that want none disregard it.
        api_key=access.key or NO_KEY,
        base_url=access.url,
        max_tokens=known.answer(options),
        temperature=known.temperature(options),
        stream_usage=False,
        use_responses_api=False,
        **patient(access),
    )
    return finished(chat, access, options, known)

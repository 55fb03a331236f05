"""A chat model that says what it was given to say, in pieces of any length, and keeps what it was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import PrivateAttr

from ragcli.llms.llm import Llm


class Scripted(BaseChatModel):
    """Says `said`, `step` characters at a time, and why it ended; `told` are the messages it was sent."""

    said: str
    step: int = 5
    ended: str = "stop"
    _told: list[Any] = PrivateAttr(default_factory=list)

    @property
    def told(self) -> list[Any]:
        return self._told

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError("it is streamed")

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any
    ) -> Any:
        self._told.append(messages)
        for at in range(0, len(self.said), self.step):
            piece = AIMessageChunk(self.said[at : at + self.step])
            yield ChatGenerationChunk(message=piece)
        end = AIMessageChunk("", response_metadata={"finish_reason": self.ended})
        yield ChatGenerationChunk(message=end)


def llm_of(
    model: BaseChatModel,
    *,
    window: int = 4000,
    max_new_tokens: int = 100,
    close: Callable[[], None] = lambda: None,
) -> Llm:
    """The model with limits; a token is a word."""
    return Llm(
        "scripted:one", model, window, max_new_tokens, lambda text: len(text.split()), True, close
    )

"""What the plugs of hosted models share: their options, and the chat model that fails in our words.

A plug mixes `HostedChat` in front of its vendor's chat model, which then still is what it was, but
asks again when the provider is busy, raises RagcliErrors, and never ends early without saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from ragcli.errors import ModelError, NetworkError
from ragcli.hosted.access import Access
from ragcli.hosted.estimate import estimate_tokens
from ragcli.hosted.patience import ask, listen

ENDS = ("finish_reason", "stop_reason", "done_reason")
CUT = {"length", "max_tokens", "model_length"}
BROKEN = {"error", "insufficient_system_resource"}
WITHHELD = {
    "content_filter",
    "refusal",
    "safety",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
}


class HostedChat(BaseChatModel):
    """A vendor's chat model, asked through one policy; mixed in before the vendor's class."""

    _access: Access = PrivateAttr()

    def reached_by(self, access: Access) -> HostedChat:
        """Give the model what its errors and its patience need; returns the model."""
        self._access = access
        return self

    def get_num_tokens(self, text: str) -> int:
        """An estimate: what the vendors' packages do here would ask their servers."""
        return estimate_tokens(text)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        def request() -> ChatResult:
            # Of the mixed class, the vendor's.
            return super(HostedChat, self)._generate(messages, stop, run_manager, **kwargs)  # type: ignore[safe-super]

        result = ask(self._access, request)
        for generation in result.generations:
            self._check_end(_note_end(generation), generation.text)
        return result

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        def request() -> Iterator[ChatGenerationChunk]:
            return super(HostedChat, self)._stream(messages, stop, run_manager, **kwargs)

        end, text = "", ""
        for chunk in listen(self._access, request):
            end = _note_end(chunk) or end
            text = text or chunk.text.strip()
            yield chunk
        self._check_end(end or "error", text)

    def _check_end(self, end: str, text: str) -> None:
        """Raise for an answer that is not whole, or empty; one at its length limit is an answer."""
        who, reason = self._access.who, end.lower()
        if reason in BROKEN:
            raise NetworkError(f"{who} broke off before the end of its answer.", "Try again.")
        if reason in WITHHELD:
            raise ModelError(
                f"{who} withheld the answer: {reason}.", "Ask otherwise, or choose another model."
            )
        if reason in CUT and not text.strip():
            raise ModelError(
                f"{self._access.model!r} used all of its tokens before it answered.",
                "Raise llm.max_new_tokens.",
            )
        if not text.strip():
            raise ModelError(f"{who} answered with nothing.", "Try again, or choose another model.")


def _note_end(generation: ChatGeneration) -> str:
    """Why the answer ended, or nothing while it goes on.

    Every provider has a word of its own for an answer at its limit; `finish_reason` is made
    `length` for all of them, so that whoever reads on can tell.
    """
    message = generation.message
    places: list[Mapping[str, Any] | None] = [
        generation.generation_info,
        message.response_metadata,
        message.additional_kwargs,
    ]
    found = (place.get(name) for place in places if place for name in ENDS)
    end = next((str(end) for end in found if end), "")
    if end.lower() in CUT:
        message.response_metadata["finish_reason"] = "length"
    return end

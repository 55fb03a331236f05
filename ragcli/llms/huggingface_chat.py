"""The model as LangChain sees it: a chat model whose answers come from the child, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

from ragcli.llms.huggingface_session import Session

ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class PipelineChat(BaseChatModel):
    """A chat model over a HuggingFacePipeline in a child process."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    session: Session = Field(exclude=True, repr=False)

    @property
    def _llm_type(self) -> str:
        return "huggingface-pipeline"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        said = [{"role": ROLES[message.type], "content": str(message.text)} for message in messages]
        for reply in self.session.ask(said, stop or ()):
            chunk = ChatGenerationChunk(message=_chunk(reply))
            if run_manager and chunk.text:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def _chunk(reply: dict[str, Any]) -> AIMessageChunk:
    if "text" in reply:
        return AIMessageChunk(content=reply["text"])
    done = reply["done"]
    return AIMessageChunk(
        content="",
        chunk_position="last",
        usage_metadata=UsageMetadata(
            input_tokens=done["prompt_tokens"],
            output_tokens=done["new_tokens"],
            total_tokens=done["prompt_tokens"] + done["new_tokens"],
        ),
        response_metadata={
            "finish_reason": done["finish_reason"],
            "prefill_s": done["prefill_s"],
            "decode_s": done["decode_s"],
        },
    )

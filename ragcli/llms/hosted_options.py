"""The options of every plug for a hosted model, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ragcli.hosted.access import Access, open_access
from ragcli.hosted.estimate import estimate_tokens
from ragcli.hosted.options import HostedOptions
from ragcli.hosted.provider import Provider
from ragcli.llms.llm import Llm
from ragcli.llms.resources import Resources

if TYPE_CHECKING:
    from ragcli.llms.hosted import HostedChat

SECTION = "llm"
ANSWER, THOUGHT = 1024, 8192


class ChatOptions(HostedOptions):
    """Settings of the section `llm` when it uses a hosted model."""

    max_new_tokens: int | None = Field(
        None,
        ge=1,
        description=f"Most tokens of an answer; by default {ANSWER},"
        f" or {THOUGHT} for a model that thinks before it answers.",
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="By default 0 where the model accepts a temperature."
    )
    window: int | None = Field(
        None,
        ge=256,
        description="Tokens that the model reads, answer included;"
        " by default what is known of the model.",
    )


class Known:
    """What is known of a model before it is asked, from the vendor's own table of models."""

    def __init__(self, table: Mapping[str, Mapping[str, Any]], model: str, window: int) -> None:
        self._facts = table.get(model, {})
        self._window = window

    def temperature(self, options: ChatOptions, *, accepted: bool = True) -> float | None:
        """The temperature to send; None to send none. `accepted` is the guess for unknown models."""
        if options.temperature is not None:
            return options.temperature
        known = self._facts.get("temperature")
        return 0.0 if (accepted if known is None else known) else None

    def answer(self, options: ChatOptions) -> int:
        """Most tokens of an answer."""
        if options.max_new_tokens:
            return options.max_new_tokens
        wanted = THOUGHT if self._facts.get("reasoning_output") else ANSWER
        return min(wanted, self._facts.get("max_output_tokens") or wanted)

    def window(self, options: ChatOptions) -> int:
        """Tokens that the model reads, answer included."""
        return options.window or self._facts.get("max_input_tokens") or self._window


def reach(provider: Provider, options: ChatOptions, resources: Resources) -> Access:
    """The checked way to the model; raises what `open_access` raises."""
    return open_access(
        provider,
        options,
        SECTION,
        keys=resources.keys,
        offline=resources.offline,
        say=resources.on_progress,
    )


def finished(chat: HostedChat, access: Access, options: ChatOptions, known: Known) -> Llm:
    """The chat model with its limits."""
    return Llm(
        name=f"{access.provider.use}:{access.model}",
        model=chat.reached_by(access),
        window=known.window(options),
        max_new_tokens=known.answer(options),
        count=estimate_tokens,
        exact=False,
        close=lambda: None,
    )

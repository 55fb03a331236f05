"""What every language model is to the rest of the program: a LangChain chat model, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class Llm:
    """A chat model that is ready to be asked.

    `name` is `plug:model`, as `--llm` takes it. `window` is the number of tokens that a prompt and
    its answer may have together, `max_new_tokens` the share of it that is kept for the answer.
    `count` says how many tokens a text has; `exact` whether by the model's own tokenizer or by an
    estimate that is never too low for text in Latin script. `close` lets go of what it holds.
    """

    name: str
    model: BaseChatModel
    window: int
    max_new_tokens: int
    count: Callable[[str], int]
    exact: bool
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Begun:
    """A model that is being loaded. `wait` returns it when it can be asked, and raises what went wrong;
    `close` gives it up instead."""

    wait: Callable[[], Llm]
    close: Callable[[], None]

"""Turns messages into the text that a model was trained on: its own chat template, or a plain prompt.

What stands in a message can not pass for the template's own marks: special tokens in it are broken.
Runs in the child; templates are run by transformers, in its sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ragcli.errors import ContextTooLong

Message = dict[str, str]
MARKS = ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>")
"""Marks that templates write as plain text, no tokens of their own."""
BREAK = "\u2060"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as text and its length. `special` says whether special tokens are still to be added."""

    text: str
    tokens: int
    special: bool


class Prompts:
    """Renders prompts for one model; `room` is how many tokens a prompt may have."""

    def __init__(self, tokenizer: Any, model: str, window: int, max_new_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._window = window
        self._max_new_tokens = max_new_tokens
        self._has_template = bool(getattr(tokenizer, "chat_template", None))
        self._marks = _marks(tokenizer)
        pair = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
        bare = sum(len(self._ids(message["content"], False)) for message in pair)
        self.overhead: int = max(0, self._make(pair).tokens - bare)

    def render(self, messages: Sequence[Message]) -> Prompt:
        """The prompt; raises ContextTooLong when it leaves no room for an answer."""
        prompt = self._make([{**m, "content": self._defused(m["content"])} for m in messages])
        if prompt.tokens + self._max_new_tokens > self._window:
            raise ContextTooLong(
                f"The prompt has {prompt.tokens} tokens and the answer is given {self._max_new_tokens},"
                f" but {self._model} reads {self._window} together.",
                "Lower retrieval.top_k or llm.max_new_tokens, or set llm.window where it can read more.",
            )
        return prompt

    def _make(self, messages: list[Message]) -> Prompt:
        special = not self._has_template
        text = _plain(messages) if special else self._templated(messages)
        return Prompt(text, len(self._ids(text, special)), special)

    def _templated(self, messages: list[Message]) -> str:
        """With the chat template; what it says in the system's place goes to the user's, where it has none."""
        from jinja2 import TemplateError

        try:
            text = self._apply(messages)
        except TemplateError:
            return self._apply(_merged(messages))
        heard = all(message["content"].strip() in text for message in messages)
        return text if heard else self._apply(_merged(messages))

    def _apply(self, messages: list[Message]) -> str:
        return str(
            self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )

    def _ids(self, text: str, special: bool) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids

    def _defused(self, text: str) -> str:
        return self._marks.sub(lambda found: found[0][0] + BREAK + found[0][1:], text)


def _plain(messages: Sequence[Message]) -> str:
    said = "\n\n".join(message["content"] for message in messages if message["content"])
    return f"{said}\n\nAnswer:"


def _merged(messages: Sequence[Message]) -> list[Message]:
    """The messages with the system's words at the head of the first of the user's."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [dict(message) for message in messages if message["role"] != "system"]
    if system and rest:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest


def _marks(tokenizer: Any) -> re.Pattern[str]:
    added = tokenizer.added_tokens_decoder.values()
    special = {token.content for token in added if token.special} | set(MARKS)
    marks = sorted((mark for mark in special if len(mark) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, marks)))

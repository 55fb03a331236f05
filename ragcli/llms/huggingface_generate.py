"""Answers with a HuggingFacePipeline, and gives out the text while it comes. In the child.

The pipeline's own streaming waits in a second thread for at most a minute, so that a long prompt
fails and an error is lost; here the pipeline is simply called, and a stopping criterion, which
transformers asks after each token, passes the token on. Errors surface where they happen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from langchain_huggingface import HuggingFacePipeline
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList, pipeline

from ragcli.errors import ModelError
from ragcli.llms.huggingface_prompt import Prompt, Prompts
from ragcli.llms.huggingface_text import OPENS, Visible

UNFINISHED = "\ufffd"


class Generator:
    """A loaded model that answers prompts."""

    def __init__(self, model: Any, tokenizer: Any, order: dict[str, Any]) -> None:
        self.prompts = Prompts(tokenizer, order["model"], order["window"], order["max_new_tokens"])
        self._order = order
        self._tokenizer = tokenizer
        self._config = _config(model, tokenizer, order)
        # What the folder recommends, sampling among it, is replaced: the options decide alone.
        model.generation_config = self._config
        self._chain = HuggingFacePipeline(
            pipeline=pipeline("text-generation", model=model, tokenizer=tokenizer, batch_size=1),
            model_id=order["model"],
            batch_size=1,
        )

    def answer(
        self, prompt: Prompt, stops: Sequence[str], emit: Callable[[str], None]
    ) -> dict[str, Any]:
        """Emit the answer piece by piece; returns its numbers of tokens, seconds, and why it ended."""
        if self._order["seed"] is not None:
            torch.manual_seed(self._order["seed"])
        thinking = prompt.text.rstrip().endswith(OPENS)
        visible = Visible([*self._order["stop"], *stops], thinking=thinking)
        listener = Listener(self._tokenizer, set(self._config.eos_token_id or ()), visible, emit)
        self._chain.invoke(
            prompt.text,
            pipeline_kwargs={
                "return_full_text": False,
                "add_special_tokens": prompt.special,
                "generation_config": self._config,
                "stopping_criteria": StoppingCriteriaList([listener]),
            },
        )
        listener.end()
        if visible.thinking:
            raise ModelError(
                f"{self._order['model']} was still thinking after {listener.tokens} tokens.",
                "Raise llm.max_new_tokens.",
            )
        return {"prompt_tokens": prompt.tokens, **listener.facts()}


class Listener(StoppingCriteria):  # type: ignore[misc]  # transformers is not followed
    """Hears every token as it comes, passes its text on, and ends the answer at a stop text."""

    def __init__(
        self, tokenizer: Any, ends: set[int], visible: Visible, emit: Callable[[str], None]
    ) -> None:
        self._tokenizer = tokenizer
        self._ends = ends
        self._visible = visible
        self._emit = emit
        self._ids: list[int] = []
        self._said = 0
        self._ended = False
        self._started = time.perf_counter()
        self._first: float | None = None
        self.tokens = 0

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        token = int(input_ids[0, -1])
        self._first = self._first or time.perf_counter()
        self.tokens += 1
        self._ended = self._ended or token in self._ends
        if not self._ended and not self._visible.stopped:
            self._ids.append(token)
            self._emit(self._visible.feed(self._fresh()))
        return torch.full((len(input_ids),), self._visible.stopped, device=input_ids.device)

    def end(self) -> None:
        """Emit what was held back."""
        self._emit(self._visible.feed(self._fresh(last=True)) + self._visible.end())

    def facts(self) -> dict[str, Any]:
        """Number of new tokens, seconds before and after the first, and `stop` or `length`."""
        now = time.perf_counter()
        first = self._first or now
        return {
            "new_tokens": self.tokens,
            "prefill_s": first - self._started,
            "decode_s": now - first,
            "finish_reason": "stop" if self._ended or self._visible.stopped else "length",
        }

    def _fresh(self, last: bool = False) -> str:
        """The text of the tokens that were not decoded before.

        Tokens are decoded together with the ones before them, as spaces and characters of several
        tokens depend on them.
        """
        text = str(
            self._tokenizer.decode(
                self._ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
        if text.endswith(UNFINISHED) and not last:
            return ""
        fresh, self._said = text[self._said :], len(text)
        return fresh


def _config(model: Any, tokenizer: Any, order: dict[str, Any]) -> GenerationConfig:
    """How tokens are chosen; of the model's own recommendations only what ends an answer is kept."""
    own = model.generation_config
    ends = {tokenizer.eos_token_id}
    for source in (own, model.config):
        ids = getattr(source, "eos_token_id", None)
        ends.update(ids if isinstance(ids, list) else [ids])
    known = sorted(end for end in ends if end is not None)
    pad = next((i for i in (tokenizer.pad_token_id, own.pad_token_id, *known) if i is not None), 0)
    draws = order["temperature"] > 0
    drawing = {
        "temperature": order["temperature"],
        "top_p": order["top_p"],
        "top_k": order["top_k"] or 0,
    }
    return GenerationConfig(
        max_new_tokens=order["max_new_tokens"],
        do_sample=draws,
        repetition_penalty=order["repetition_penalty"],
        eos_token_id=known or None,
        pad_token_id=pad,
        bos_token_id=tokenizer.bos_token_id,
        **(drawing if draws else {}),
    )

"""Reads the short name of a model, as `--llm` takes it: `plug:model`."""

from __future__ import annotations

import difflib

from ragcli.errors import UsageError
from ragcli.llms import LLMS

NONE = "none"


def parse(text: str) -> tuple[str, str | None]:
    """(plug, model) of `openai:gpt-4.1-mini`; `none` has no model.

    Only the first colon separates, so that `ollama:llama3.2:3b` names the model `llama3.2:3b`.
    Raises UsageError for a plug that does not exist, and for a plug without a model.
    """
    use, _, model = text.strip().partition(":")
    use, model = use.strip().lower(), model.strip()
    if use == NONE and not model:
        return NONE, None
    known = sorted(LLMS)
    if use not in known:
        near = difflib.get_close_matches(use, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"--llm {text!r} names no provider that is known.{hint}",
            f"Write PROVIDER:MODEL with one of: {', '.join(known)}; or none.",
        )
    if not model:
        raise UsageError(f"--llm {text!r} names no model.", f"Write --llm {use}:MODEL.")
    return use, model

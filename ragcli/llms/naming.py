"""Reads the short name of a model, as `--llm` takes it: `plug:model`."""

from __future__ import annotations

import difflib

from ragcli.errors import UsageError
from ragcli.llms import LLMS

NONE = "none"
MAKERS = {
    "claude": "anthropic", "command": "cohere", "deepseek": "deepseek", "gemini": "google",
    "gpt": "openai", "hf": "huggingface", "ministral": "mistral", "mistral": "mistral",
}  # fmt: skip
"""How names of models begin, and short names of plugs."""


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
        providers = [name for name in known if name != NONE]
        raise UsageError(
            f"--llm {text!r} names no provider that is known.{_hint(use, model, providers)}",
            f"Write PROVIDER:MODEL with one of: {', '.join(providers)}; or none.",
        )
    if not model:
        raise UsageError(f"--llm {text!r} names no model.", f"Write --llm {use}:MODEL.")
    return use, model


def _hint(use: str, model: str, providers: list[str]) -> str:
    """What was perhaps meant: a provider for a name misspelt, or for a model without one."""
    maker = next((MAKERS[start] for start in MAKERS if use.startswith(start)), None)
    if maker:
        return f" Did you mean {maker}:{model or use}?"
    near = difflib.get_close_matches(use, providers, n=1)
    return f" Did you mean {near[0]}?" if near else ""

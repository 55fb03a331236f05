"""The plug board of rerankers: each plug says how well texts answer a question, here or at a provider.

A plug has `Options` and `build(options, cache, offline, keys=, on_progress=)`. It scores what it is
given and orders nothing; it knows nothing of collections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.config import plug_options
from ragcli.registry import Plug, load
from ragcli.settings import Reranker as Choice

if TYPE_CHECKING:
    from ragcli.rerankers.reranker import Reranker

__all__ = ["DEFAULT", "NONE", "RERANKERS", "build"]

NONE = "none"
DEFAULT = "cross-encoder"
"""What `--rerank` takes where the configuration names none."""

RERANKERS: dict[str, Plug] = {
    NONE: Plug("ragcli.rerankers.none"),
    DEFAULT: Plug("ragcli.rerankers.cross_encoder"),
    "cohere": Plug("ragcli.rerankers.cohere"),
}


def build(
    choice: Choice,
    cache: Path,
    offline: bool,
    *,
    keys: Mapping[str, str],
    on_progress: Callable[[str], None],
) -> Reranker:
    """The chosen reranker, ready to be asked.

    Raises ConfigError for options that the plug does not know, ModelError for a model that cannot be
    used, NetworkError for one that cannot be had, MissingKey.
    """
    module = load("reranker", RERANKERS, choice.use)
    options = plug_options(module, "reranker", choice)
    built: Reranker = module.build(options, cache, offline, keys=keys, on_progress=on_progress)
    return built

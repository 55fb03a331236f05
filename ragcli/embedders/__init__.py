"""The plug board of embedders: each plug turns texts into unit vectors, here or at a provider.

`describe` is cheap, loads no model and asks nobody; `build` hands over something that embeds. A plug never
embeds with another model, device or backend than the one it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.embedders.info import EmbedderInfo
from ragcli.registry import Plug, load
from ragcli.settings import Embedder

if TYPE_CHECKING:
    from ragcli.embedders.embedder import SentenceEmbedder

__all__ = ["EMBEDDERS", "EmbedderInfo", "build", "describe"]

EMBEDDERS: dict[str, Plug] = {
    "sentence-transformers": Plug("ragcli.embedders.sentence_transformers"),
    "cohere": Plug("ragcli.embedders.cohere"),
    "google": Plug("ragcli.embedders.google"),
    "mistral": Plug("ragcli.embedders.mistral"),
    "ollama": Plug("ragcli.embedders.ollama"),
    "openai": Plug("ragcli.embedders.openai"),
    "openai-compatible": Plug("ragcli.embedders.openai_compatible"),
}


def describe(choice: Embedder, cache: Path, offline: bool) -> EmbedderInfo:
    """What the chosen model is, without loading it.

    Raises ConfigError for options the plug does not know, ModelError for a model that cannot be
    used, NetworkError for one that would have to be downloaded and cannot be.
    """
    info: EmbedderInfo = load("embedder", EMBEDDERS, choice.use).describe(choice, cache, offline)
    return info


def build(
    choice: Embedder,
    cache: Path,
    offline: bool,
    *,
    keys: Mapping[str, str] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> SentenceEmbedder:
    """The chosen embedder, ready to embed; its first use on a machine converts the model once.

    `keys` are the variables among which a hosted one finds its key. Raises what `describe` raises,
    ModelError when the model cannot be converted or loaded, and MissingKey.
    """
    built: SentenceEmbedder = load("embedder", EMBEDDERS, choice.use).build(
        choice, cache, offline, keys=keys or {}, on_progress=on_progress or (lambda _: None)
    )
    return built

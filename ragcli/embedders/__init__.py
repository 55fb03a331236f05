"""The plug board of embedders: each plug turns texts into unit vectors on this machine.

`describe` is cheap and loads no model; `build` hands over something that embeds. A plug never
embeds with another model, device or backend than the one it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
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
    on_progress: Callable[[str], None] | None = None,
) -> SentenceEmbedder:
    """The chosen embedder, ready to embed; its first use on a machine converts the model once.

    Raises what `describe` raises, and ModelError when the model cannot be converted or loaded.
    """
    built: SentenceEmbedder = load("embedder", EMBEDDERS, choice.use).build(
        choice, cache, offline, on_progress=on_progress
    )
    return built

"""Chooses what computes, and says so; an explicit choice that cannot be had is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.embedders.card import Card
from ragcli.embedders.info import EmbedderInfo

if TYPE_CHECKING:
    from ragcli.embedders.embedder import Encoder
    from ragcli.embedders.sentence_transformers import Options


def start(
    card: Card, info: EmbedderInfo, options: Options, cache: Path, say: Callable[[str], None]
) -> Encoder:
    """Start the backend that the options ask for."""
    return _onnx(card, info, options, cache, say)


def _onnx(
    card: Card, info: EmbedderInfo, options: Options, cache: Path, say: Callable[[str], None]
) -> Encoder:
    from ragcli.embedders.convert import converted
    from ragcli.embedders.cores import physical_cores
    from ragcli.embedders.onnx import OnnxEncoder

    found = converted(card, info.fingerprint, options.precision, cache, say)
    return OnnxEncoder(
        found.data,
        card,
        precision=found.manifest["precision"],
        threads=options.threads or physical_cores(),
        batch_tokens=options.batch_tokens,
    )

"""Chooses what computes, and says so; an explicit choice that cannot be had is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ragcli.embedders.card import Card
from ragcli.errors import ConfigError, ModelError
from ragcli.models.cores import physical_cores
from ragcli.models.gpu import gpu_trouble

if TYPE_CHECKING:
    from ragcli.embedders.embedder import Encoder
    from ragcli.embedders.sentence_transformers import Options

GPU_BATCH_TOKENS = 65_536


def start(
    card: Card, fingerprint: str, options: Options, cache: Path, say: Callable[[str], None]
) -> Encoder:
    """Start what the options ask for.

    Raises ConfigError for a backend and a device that exclude each other, ModelError for a GPU
    that is not there and for a model that cannot be converted or loaded.
    """
    backend, device, why = choose(options)
    threads = options.threads or physical_cores()
    if backend == "onnx":
        return _onnx(card, fingerprint, options, cache, say, threads)
    encoder = _torch(card, device, options, threads)
    say(f"Embedding on torch, {encoder.device}, {encoder.precision}: {why}.")
    return encoder


def choose(options: Options) -> tuple[Literal["onnx", "torch"], Literal["cpu", "cuda"], str]:
    """(backend, device, why) for the options; the GPU is looked for only where it would be used."""
    if options.backend == "onnx" and options.device == "cuda":
        raise ConfigError(
            "embedder.device cuda needs embedder.backend torch.", "Set embedder.backend to torch."
        )
    if options.device == "cpu" or options.backend == "onnx":
        return "torch" if options.backend == "torch" else "onnx", "cpu", "as configured"
    trouble = gpu_trouble()
    if trouble is None:
        return "torch", "cuda", "there is a GPU"
    if options.device == "cuda":
        raise ModelError(
            f"embedder.device is cuda, but {trouble}.", "Set embedder.device to auto or cpu."
        )
    return "torch" if options.backend == "torch" else "onnx", "cpu", trouble


def _onnx(
    card: Card,
    fingerprint: str,
    options: Options,
    cache: Path,
    say: Callable[[str], None],
    threads: int,
) -> Encoder:
    from ragcli.embedders.convert import Source, converted
    from ragcli.embedders.onnx import OnnxEncoder

    found = converted(Source(card.model, card.folder), fingerprint, options.precision, cache, say)
    return OnnxEncoder(
        found.data,
        card,
        precision=found.manifest["precision"],
        threads=threads,
        batch_tokens=options.batch_tokens,
    )


def _torch(card: Card, device: str, options: Options, threads: int) -> Encoder:
    from ragcli.embedders.torch import TorchEncoder

    return TorchEncoder(
        card,
        device=device,
        precision=options.precision,
        threads=threads,
        batch_tokens=GPU_BATCH_TOKENS if device == "cuda" else options.batch_tokens,
    )

"""Reads what the folder of a language model, or of an adapter, says about itself. Loads nothing.

A folder is hostile input: only JSON is read, and weights that are not safetensors are refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.errors import ModelError
from ragcli.llms.huggingface_find import INDEX, WEIGHTS

LENGTHS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
LONGEST = 100_000_000
"""Larger numbers stand for `no limit` in tokenizer files."""
OTHER_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.gguf", "*.h5", "*.msgpack")


@dataclass(frozen=True, slots=True)
class Card:
    """A causal language model as its own files describe it."""

    model: str
    folder: Path
    window: int | None
    """Most tokens of a prompt and its answer, where the files say."""
    stored_as: str | None
    """The quantization that the weights are stored in, if any."""
    bytes: int
    """Size of the weights on the disk."""

    @property
    def tokenizer(self) -> Path:
        """The model's `tokenizer.json`."""
        return self.folder / "tokenizer.json"


def read_card(model: str, folder: Path) -> Card:
    """Read a model folder; raises ModelError, in one sentence, for a model that cannot be used."""
    try:
        return _read(model, folder)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise _refused(model, "its configuration is not of the kind that it should be") from error


def read_adapter(adapter: str) -> Path:
    """The folder of a LoRA adapter; raises ModelError when it is none, or not in safetensors."""
    folder = Path(adapter).expanduser().resolve()
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise ModelError(
            f"{folder} holds no adapter: it has no adapter_config.json.",
            "Set llm.adapter to a folder saved by peft.",
        )
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(
            f"The adapter {folder} has no adapter_model.safetensors, and no other kind is loaded.",
            "Save it again with peft, which writes safetensors.",
        )
    try:
        kind = json.loads(config.read_bytes()).get("peft_type")
    except (ValueError, AttributeError) as error:
        raise ModelError(
            f"The adapter_config.json of {folder} cannot be read.", "Save the adapter again."
        ) from error
    if kind != "LORA":
        raise ModelError(f"The adapter {folder} is of the kind {kind}.", "Only LoRA adapters work.")
    return folder


def _read(model: str, folder: Path) -> Card:
    if (folder / "adapter_config.json").is_file():
        raise _refused(
            model,
            "it is an adapter, or holds one",
            "Set llm.adapter to it and llm.model to its base.",
        )
    if not (folder / "config.json").is_file():
        raise _refused(model, "its folder has no config.json")
    if not (folder / "tokenizer.json").is_file():
        raise _refused(
            model,
            "its folder has no tokenizer.json",
            "Save it again with transformers' save_pretrained.",
        )
    config = _json(folder / "config.json")
    stored = config.get("quantization_config") or {}
    method = stored.get("quant_method") or ("bitsandbytes" if stored else None)
    return Card(
        model=model,
        folder=folder,
        window=_window(config, folder),
        stored_as=None if method is None else str(method),
        bytes=sum(part.stat().st_size for part in _weights(model, folder)),
    )


def _weights(model: str, folder: Path) -> list[Path]:
    single = folder / WEIGHTS[0]
    if single.is_file():
        return [single]
    if not (folder / INDEX).is_file():
        other = [path.name for pattern in OTHER_WEIGHTS for path in sorted(folder.glob(pattern))]
        held = f" ({other[0]} is none)" if other else ""
        raise _refused(model, f"it has no safetensors weights{held}, and no other kind is loaded")
    names = sorted({str(name) for name in _json(folder / INDEX)["weight_map"].values()})
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise _refused(model, f"the part {Path(name).name} of its weights is missing")
    return [folder / name for name in names]


def _window(config: dict[str, Any], folder: Path) -> int | None:
    """The shorter of what the model and its tokenizer say."""
    nested = config.get("text_config") or {}
    said = [source.get(key) for source in (config, nested) for key in LENGTHS]
    tokenizer = folder / "tokenizer_config.json"
    if tokenizer.is_file():
        said.append(_json(tokenizer).get("model_max_length"))
    limits = [int(length) for length in said if length and 0 < length < LONGEST]
    return min(limits, default=None)


def _json(path: Path) -> dict[str, Any]:
    read = json.loads(path.read_bytes())
    if not isinstance(read, dict):
        raise ValueError(f"{path.name} holds no object")
    return read


def _refused(model: str, why: str, fix: str = "") -> ModelError:
    return ModelError(
        f"The model {model} cannot be used: {why}.",
        fix or "Choose another llm.model; chat models with safetensors weights work.",
    )

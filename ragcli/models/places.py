"""Where models lie: folders that are named by a path, and the cache of the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path


def is_path(model: str) -> bool:
    """Whether the name means a folder (`./x`, `../x`, `/x`, `~/x`) and not a model of the Hub."""
    return model.startswith(("./", "../", "/", "~")) or model in {".", ".."}


def default_hub_cache() -> Path:
    """The user's own cache of the Hub."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def snapshot(model: str, revision: str | None, hub_cache: Path) -> tuple[Path, Path]:
    """The folder of a model in the cache, be it there or not, and that of what is known to be absent.

    Read from the documented layout: the library's own look-up imports an HTTP client, which costs
    more than the search for it.
    """
    repository = hub_cache / f"models--{model.replace('/', '--')}"
    commit = revision or "main"
    reference = repository / "refs" / commit
    if reference.is_file():
        commit = reference.read_text().strip()
    return repository / "snapshots" / commit, repository / ".no_exist" / commit

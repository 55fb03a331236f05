"""The store elsewhere that is configured, given what it needs of a run; nothing is sent yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.config import plug_options
from ragcli.index.surroundings import Surroundings
from ragcli.registry import load
from ragcli.stores import STORES
from ragcli.stores.resources import Resources

if TYPE_CHECKING:
    from ragcli.settings import Settings
    from ragcli.stores.store import Store


def configured_store(directory: Path, settings: Settings, around: Surroundings) -> Store:
    """The store for the collection in `directory`, after whose name its place is called.

    Raises ConfigError, MissingExtra, MissingKey, NetworkError when offline.
    """
    choice = settings.store
    module = load("store", STORES, choice.use)
    resources = Resources(
        folder=directory / "stores" / choice.use,
        name=directory.name,
        keys=around.keys,
        offline=settings.offline,
        create=around.create,
        say=around.say,
    )
    store: Store = module.build(plug_options(module, "store", choice), resources)
    return store

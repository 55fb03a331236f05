"""The one place that imports by name. A plug board is a table of `Plug`s; nothing else looks modules up."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from ragcli.errors import ConfigError, MissingExtra


@dataclass(frozen=True, slots=True)
class Plug:
    """A line of a plug board: the module that holds it, and the extra that installs what it needs."""

    module: str
    extra: str | None = None
    needs: tuple[str, ...] = ()
    """Top-level packages that the extra brings; a failure to import any other is a bug."""


def load(board: str, table: Mapping[str, Plug], name: str) -> ModuleType:
    """Import the plug called `name`.

    Raises ConfigError for an unknown name and MissingExtra when one of the plug's own needs is
    not installed; any other ImportError is a bug and passes through.
    """
    plug = table.get(name)
    if plug is None:
        known = ", ".join(sorted(table))
        raise ConfigError(
            f"There is no {board} called {name!r}.", f"Set {board}.use to one of: {known}."
        )
    require(board, name, plug)
    return importlib.import_module(plug.module)


def require(board: str, name: str, plug: Plug) -> None:
    """Raise MissingExtra, with the command that installs it, when a need of the plug is absent."""
    for package in plug.needs:
        if importlib.util.find_spec(package) is None:
            extra = (
                f"pip install 'ragcli[{plug.extra}]'" if plug.extra else f"pip install {package}"
            )
            raise MissingExtra(f"{board} {name!r} needs the package {package}.", f"Run: {extra}")

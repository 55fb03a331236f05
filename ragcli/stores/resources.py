"""What a store is given beside its options. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _silent(text: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Resources:
    """Where this run stands, for a store that may lie elsewhere.

    `folder` is where an engine that runs in this process keeps its files, `name` the name of the
    collection, after which the store's own is called unless set. `keys` holds keys by variable
    name. `create` says that what costs money may be made. `say` is told of every wait.
    """

    folder: Path
    name: str
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    offline: bool = False
    create: bool = False
    say: Callable[[str], None] = field(default=_silent, repr=False)

"""What a plug is given beside its options. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _silent(text: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Resources:
    """Where models may be kept, whether the network may be used, and the keys by variable name.

    `on_progress` is told what takes long, in a line.
    """

    cache: Path
    offline: bool = False
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    on_progress: Callable[[str], None] = _silent

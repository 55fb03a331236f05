"""What a store elsewhere needs to know of a run. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _silent(text: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Keys by variable name, whether what costs money may be made, and who hears of waits."""

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    create: bool = False
    say: Callable[[str], None] = field(default=_silent, repr=False)

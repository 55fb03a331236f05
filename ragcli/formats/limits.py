"""How much one document may hold, and the cut that is made, and said, where it holds more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ragcli.types import Block


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader may produce from one file."""

    text_bytes: int = 20_000_000
    """Most text of one document, in UTF-8 bytes."""
    unpacked_bytes: int = 300_000_000
    """Most that a zip container may unpack to, all members together."""
    ratio: int = 200
    """Most that a zip member may grow by when unpacked."""


def cut(text: str, limits: Limits) -> tuple[str, list[str]]:
    """The text up to the limit, at the end of a line where one is near, and the warning if cut."""
    if len(text) * 4 <= limits.text_bytes:
        return text, []
    encoded = text.encode()
    if len(encoded) <= limits.text_bytes:
        return text, []
    kept = encoded[: limits.text_bytes].decode(errors="ignore")
    end = kept.rfind("\n", len(kept) // 2)
    return (kept[:end] if end > 0 else kept), [_warning(limits)]


def fit(blocks: Iterable[Block], limits: Limits) -> tuple[list[Block], list[str]]:
    """The blocks up to the limit, and the warning if there were more; reads no further than that."""
    kept: list[Block] = []
    room = limits.text_bytes
    for block in blocks:
        room -= len(block.text.encode())
        if room < 0:
            return kept, [_warning(limits)]
        kept.append(block)
    return kept, []


def _warning(limits: Limits) -> str:
    return f"Only the first {limits.text_bytes / 1e6:g} MB of its text were read."

"""Fits passages into what a model reads at once: whole ones, the first first; the rest is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

OVERHEAD = 32
"""Tokens kept for what a chat template puts around two messages."""


def fitting(
    passages: Sequence[str],
    message: Callable[[Sequence[str]], str],
    *,
    room: int,
    count: Callable[[str], int],
) -> int:
    """How many passages, from the first, fit into `room` tokens together with their message.

    `message` words the message for some of the passages; what is counted is what will be sent.
    """
    fits = _at_most(passages, room, count)
    while fits and count(message(passages[:fits])) > room:
        fits -= 1
    return fits


def _at_most(passages: Sequence[str], room: int, count: Callable[[str], int]) -> int:
    """A first guess that spares counting long messages: tokens of parts hardly exceed the whole's."""
    used = 0
    for n, passage in enumerate(passages):
        used += count(passage)
        if used > room * 1.1 + OVERHEAD:
            return n
    return len(passages)

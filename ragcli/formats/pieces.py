"""Structured text (JSON, YAML) cut where its structure is shallow, in pieces that can stand alone.

Knows offsets and key paths only; a piece is the source, word for word.
"""

from __future__ import annotations

from collections.abc import Iterator

from ragcli.formats.text import solid
from ragcli.types import Block

_SMALLEST = 250
_LARGEST = 700
_LONGEST_KEY = 80
_DEEPEST = 6


class Pieces:
    """Collects the offsets at which a text may be cut, and cuts where a piece is long enough.

    The deeper the structure at an offset, the longer a piece must be to end there.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._start = 0
        self._line = 1
        self._path: tuple[str, ...] = ()

    def may_cut(self, at: int, depth: int, path: list[str | None]) -> Iterator[Block]:
        """Offer a cut at an offset; `path` are the keys around what follows."""
        if at - self._start >= min(_SMALLEST * max(depth - 1, 1), _LARGEST):
            yield from self.cut(at)
            keys = (key for key in path[:_DEEPEST] if key)
            self._path = tuple(key[:_LONGEST_KEY] for key in keys)

    def cut(self, at: int) -> Iterator[Block]:
        """End a piece at an offset."""
        lines = [line.rstrip() for line in self._text[self._start : at].split("\n")]
        lines[0] = lines[0].lstrip() if self._line_begun() else lines[0]
        yield from solid(lines, self._line, "code", self._path)
        self._line += len(lines) - 1
        self._start = at

    def _line_begun(self) -> bool:
        return self._start > 0 and self._text[self._start - 1] != "\n"

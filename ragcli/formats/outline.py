"""The path of headings under which a reader stands. Knows levels and titles, nothing of any syntax."""

from __future__ import annotations

_LONGEST = 300


class Outline:
    """A stack of headings; entering one closes those of its level and deeper."""

    def __init__(self, base: tuple[str, ...] = ()) -> None:
        self.base = base
        self.path = base
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """Open a heading of a level (1 is outermost) and return the path that ends in it."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, " ".join(title.split())[:_LONGEST]))
        self.path = self.base + tuple(title for _, title in self._open)
        return self.path

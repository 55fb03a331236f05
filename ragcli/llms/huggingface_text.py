"""What of a model's text is shown: nothing of its thoughts, and nothing from a stop text on. Pure."""

from __future__ import annotations

from collections.abc import Sequence

OPENS, CLOSES = "<think>", "</think>"


class Visible:
    """Takes text as it comes and gives back what can be shown of it already.

    What may yet turn out to be the beginning of a stop text is held back. `thinking` says that the
    prompt has opened a thought already; one that the model opens itself at the start is seen.
    """

    def __init__(self, stops: Sequence[str], *, thinking: bool = False) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self._begun = False
        self.thinking = thinking
        self.stopped = False

    def feed(self, text: str) -> str:
        """The text that can be shown now."""
        if self.stopped:
            return ""
        self._held += text
        if not self._begun and not self._begin():
            return ""
        found = [at for at in map(self._held.find, self._stops) if at >= 0]
        if found:
            self.stopped = True
            return self._release(min(found))
        return self._release(len(self._held) - self._promised())

    def end(self) -> str:
        """What was held back, when nothing more comes."""
        if self.stopped or self.thinking:
            return ""
        return self._release(len(self._held))

    def _begin(self) -> bool:
        """Whether the answer proper has begun: thoughts and the space before it are dropped."""
        if not self.thinking:
            self._held = self._held.lstrip()
            if OPENS.startswith(self._held):
                return False
            self.thinking = self._held.startswith(OPENS)
        if self.thinking:
            _, closed, rest = self._held.partition(CLOSES)
            if not closed:
                return False
            self.thinking = False
            self._held = rest.lstrip()
        self._begun = bool(self._held)
        return self._begun

    def _promised(self) -> int:
        """Length of the longest end of the text that a stop text begins with."""
        longest = max((len(stop) - 1 for stop in self._stops), default=0)
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0

    def _release(self, end: int) -> str:
        shown, self._held = self._held[:end], self._held[end:]
        return shown

"""Shows an answer while it is being written: cleaned, however its text was cut into pieces."""

from __future__ import annotations

from ragcli.cli.output import Output, clean


class AnswerStream:
    """Told stretches of one answer, it shows them at once; `end` finishes the line.

    What `clean` looks at is one character, but for a carriage return before a line feed: that is
    held back until what follows is known.
    """

    def __init__(self, out: Output) -> None:
        self._out = out
        self._held = ""
        self.shown = False

    def __call__(self, text: str) -> None:
        """Show a stretch."""
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        ready = clean(text.removesuffix(self._held))
        if ready:
            self.shown = True
            self._out.piece(ready)

    def end(self) -> None:
        """Finish the line, once."""
        if self._held:
            self._out.piece(clean(self._held))
        if self.shown:
            self._out.data("")
        self._held, self.shown = "", False

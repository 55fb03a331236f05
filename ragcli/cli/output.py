"""One mouth: data to stdout, everything else to stderr, and nothing that a terminal would obey.

Text of documents, file names and models passes through `clean` before a person sees it, and
through `to_json` before a program does; neither lets a control, bidi or zero-width character
through raw.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from ragcli.errors import RagcliError

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE = (
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
_SURROGATES = "\ud800-\udfff"
_UNSAFE = re.compile(f"[{_CONTROLS}{_INVISIBLE}{_SURROGATES}]")
_BREAKS = re.compile(r"[\n\t]")


def clean(text: str, *, one_line: bool = False) -> str:
    """The text without characters that steer a terminal; with `one_line`, breaks are shown as \\n."""
    text = _UNSAFE.sub(_visible, text.replace("\r\n", "\n"))
    return _BREAKS.sub(lambda m: "\\n" if m[0] == "\n" else " ", text) if one_line else text


def to_json(data: Any) -> str:
    """One line of JSON in which every unsafe character is a \\u escape."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(_escape, text)


def _visible(match: re.Match[str]) -> str:
    # Controls and surrogates stand for something that was there; the invisible ones show nothing.
    return "\ufffd" if re.match(f"[{_CONTROLS}{_SURROGATES}]", match[0]) else ""


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class Output:
    """Where a command writes: `data` for stdout; `note`, `warn`, `hint` and `error` for stderr."""

    def __init__(
        self,
        *,
        json: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        environ = environ or {}
        plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self.terminal = sys.stdout.isatty()
        self.colour = self.terminal and not plain
        self.progress = sys.stderr.isatty() and not (quiet or json or plain)
        self._colour_errors = sys.stderr.isatty() and not plain

    def data(self, line: str) -> None:
        """One line (or several) of the result."""
        _write(sys.stdout, line)

    def piece(self, text: str) -> None:
        """A stretch of the result, without a line end."""
        _write(sys.stdout, text, end="")

    def record(self, data: Mapping[str, Any]) -> None:
        """The result as one line of JSON."""
        _write(sys.stdout, to_json(data))

    def bold(self, text: str) -> str:
        """The text emphasised where the terminal can."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def faint(self, text: str) -> str:
        """The text dimmed where the terminal can."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def note(self, text: str) -> None:
        """Something that a person at a terminal wants to know; silent with --quiet and --json."""
        if not (self.quiet or self.json):
            _write(sys.stderr, clean(text))

    def detail(self, text: str) -> None:
        """Something that only --verbose shows."""
        if self.verbose:
            _write(sys.stderr, clean(text))

    def warn(self, text: str) -> None:
        """Something that may be wrong, though the command goes on."""
        if not self.quiet:
            _write(sys.stderr, self._paint("33", "warning: ") + clean(text))

    def help(self, text: str) -> None:
        """How a command is used, for somebody who called it without what it needs."""
        _write(sys.stderr, text)

    def error(self, error: RagcliError) -> None:
        """Why the command failed, and the fix; one JSON line with --json."""
        if self.json:
            body = {"code": error.code, "message": error.message, "fix": error.fix}
            _write(sys.stderr, to_json({"schema": "ragcli.error/1", "error": body}))
            return
        _write(sys.stderr, self._paint("31", "error: ") + clean(error.message))
        if error.fix:
            _write(sys.stderr, clean(error.fix))

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour_errors else text


def _write(stream: TextIO, text: str, end: str = "\n") -> None:
    try:
        stream.write(text + end)
        stream.flush()
    except BrokenPipeError:
        # The reader has left: what it did not want is no error. The stream now leads nowhere, so
        # that the interpreter's own flush at exit cannot fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise SystemExit(0) from None

"""Inline markup of reStructuredText made readable: links and roles become their words.

`` :role:`text <target>` `` and `` `text <url>`_ `` lose all but the text. Everything else stays as it
is written, and a line never moves. Linear time.
"""

from __future__ import annotations

import re

_MARKED = re.compile(r"(``[^`\n]*+``)|(?<![\w`:])((?::[A-Za-z][\w.+-]*+){1,3}:)?+`([^`]++)`(__?)?+")


def reduce(text: str) -> str:
    """The text as a reader of the page sees it."""
    return _MARKED.sub(_words, text) if "`" in text else text


def _words(marked: re.Match[str]) -> str:
    literal, role, inner, link = marked.groups()
    if literal or not (role or link):
        return marked[0]
    text, opening, _ = inner.rpartition("<")
    shown = text.rstrip(" ") if opening and inner.endswith(">") and text.strip() else inner
    # What is cut away keeps its line ends, so that the lines below stay where they are.
    return shown + "\n" * (inner.count("\n") - shown.count("\n"))

"""Markdown text made readable: links and images become their words, comments and HTML tags go.

`[text](target)`, `[text][label]`, `![alt](source)` and `<https://...>` lose all but what a reader of
the page sees. Everything else stays as it is written (emphasis, code spans, escapes), and a line
never moves, so that a quote is found on the line that it is cited from. Linear time.
"""

from __future__ import annotations

import re
from collections.abc import Set

from ragcli.formats.mdsyntax import label_of

_TAGS = (
    "a abbr b big br center cite code del details dfn div dl dt dd em figcaption figure font h1 h2 h3 h4 h5"
    " h6 hr i img ins kbd li mark ol p picture pre q s samp section small source span strike strong sub"
    " summary sup table tbody td tfoot th thead tr tt u ul var video wbr"
)
_SPACED = frozenset(
    {"br", "li", "p", "div", "td", "th", "tr", "dt", "dd", "ul", "ol", "hr", "summary"}
)
_TOKEN = re.compile(r"\\[!-/:-@\[-`{-~]|`+|!?\[|\]|<")
_AUTOLINK = re.compile(r"<((?:[A-Za-z][A-Za-z0-9+.-]{1,31}:|[^\s<>@]{1,64}@)[^\s<>]*)>")
_TAG = re.compile(rf"</?(?:{'|'.join(_TAGS.split())})(?:[\s/][^<>]*)?>", re.IGNORECASE)
_TARGET = re.compile(r"\([ \t]*+(?:<[^<>\n]*+>|(?:[^\s()<>\\]|\\.)*+)")
_TARGET_END = re.compile(
    r"[ \t]*+(?:(?<=[ \t])(?:\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\))[ \t]*+)?\)"
)
_PARENTHESIS = re.compile(r"(?:[^\s()\\]|\\.)*+")
_LABEL = re.compile(r"\[([^\[\]\n]{0,300})\]")
_DEEPEST = 8

Cut = tuple[int, int, str]


def reduce(text: str, definitions: Set[str]) -> str:
    """The text as a reader of the page sees it; `definitions` are the labels that links may name."""
    if "[" not in text and "<" not in text:
        return text
    cuts = sorted(_Reduction(text, definitions).cuts)
    parts: list[str] = []
    at = 0
    for start, end, instead in cuts:
        if start < at:
            continue
        parts.append(text[at:start])
        parts.append(instead + "\n" * text.count("\n", start, end))
        at = end
    return "".join(parts) + text[at:]


class _Reduction:
    """One pass over the tokens of a text that collects what to cut out of it."""

    def __init__(self, text: str, definitions: Set[str]) -> None:
        self.cuts: list[Cut] = []
        self._text = text
        self._definitions = definitions
        self._open: list[tuple[int, int]] = []
        self._spans = _code_spans(text)
        self._comments_end = False
        at = 0
        while token := _TOKEN.search(text, at):
            at = self._read(token)

    def _read(self, token: re.Match[str]) -> int:
        """Act on a token; return where to read on."""
        mark, end = token[0], token.end()
        if mark[0] == "`":
            return self._spans.get(token.start(), end)
        if mark[-1] == "[" and mark[0] != "\\":
            self._open.append((token.start(), end))
        elif mark == "]" and self._open:
            return self._link(token.start(), end)
        elif mark == "<":
            return self._angle(token.start())
        return end

    def _link(self, close: int, end: int) -> int:
        start, inner = self._open.pop()
        after = self._tail(inner, close, end)
        if after is None:
            return end
        self.cuts += [(start, inner, ""), (close, after, "")]
        return after

    def _tail(self, inner: int, close: int, end: int) -> int | None:
        """Where a link ends whose text ends at `close`; None where it is no link."""
        follows = self._text[end : end + 1]
        if follows == "(":
            return _target_end(self._text, end)
        label = _LABEL.match(self._text, end) if follows == "[" else None
        named = (
            label[1] if label and label[1].strip() else self._text[inner : min(close, inner + 300)]
        )
        if label_of(named) not in self._definitions:
            return None
        return label.end() if label else end

    def _angle(self, start: int) -> int:
        text = self._text
        if text.startswith("<!--", start):
            return self._comment(start)
        link = _AUTOLINK.match(text, start)
        if link:
            self.cuts += [(start, start + 1, ""), (link.end() - 1, link.end(), "")]
            return link.end()
        tag = _TAG.match(text, start)
        if tag:
            self.cuts.append((start, tag.end(), _instead(tag)))
            return tag.end()
        return start + 1

    def _comment(self, start: int) -> int:
        end = -1 if self._comments_end else self._text.find("-->", start + 2)
        if end < 0:
            self._comments_end = True
            return start + 4
        self.cuts.append((start, end + 3, ""))
        return end + 3


def _instead(tag: re.Match[str]) -> str:
    """What a tag leaves: a space where it ends a line or a cell, a caret before an exponent."""
    name = tag[0].strip("</>").partition(" ")[0].lower()
    if name == "sup" and tag[0][1] != "/" and tag.string[tag.end() : tag.end() + 1].isalnum():
        return "^"
    return " " if name in _SPACED else ""


def _target_end(text: str, start: int) -> int | None:
    """The end of `(target "title")`, or None; looks no deeper than a few nested parentheses."""
    found = _TARGET.match(text, start)
    at = found.end() if found else start
    depth = 1
    for _ in range(4 * _DEEPEST):
        end = _TARGET_END.match(text, at)
        if depth == 1 and end:
            return end.end()
        if depth > _DEEPEST or text[at : at + 1] not in ("(", ")"):
            return None
        depth += 1 if text[at] == "(" else -1
        rest = _PARENTHESIS.match(text, at + 1)
        at = rest.end() if rest else at + 1
    return None


def _code_spans(text: str) -> dict[int, int]:
    """Start of each run of backticks that opens a code span -> end of the span."""
    runs = [(found.start(), found.end()) for found in re.finditer(r"`+", text)]
    following: dict[int, int] = {}
    spans: dict[int, int] = {}
    for start, end in reversed(runs):
        if end - start in following:
            spans[start] = following[end - start]
        following[end - start] = end
    return spans

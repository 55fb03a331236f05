"""The block structure of Markdown, line by line: which lines are a heading, a paragraph, code, HTML.

CommonMark's own algorithm (spec 0.31, appendix "A parsing strategy"): a stack of open containers
(quotes and list items) and one open leaf. Knows nothing of inline markup, tables or citations. Time
is linear: each line is looked at once, and containers deeper than `_DEEPEST` are read as text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ragcli.formats.mdsyntax import (
    ATX,
    ATX_END,
    DEFINITION,
    FENCE,
    HTML_ENDS,
    MARKER,
    UNDERLINE,
    UNTIL_BLANK,
    detab,
    html_kind,
    is_rule,
    label_of,
    skip,
)

LeafKind = Literal["heading", "paragraph", "code", "html"]

_DEEPEST = 50


@dataclass(slots=True)
class Container:
    """An open quote (`indent` is None) or list item (columns that its content is indented by)."""

    indent: int | None = None
    marker: str = ""
    empty: bool = True


@dataclass(slots=True)
class Leaf:
    """A block without blocks in it: `lines` is its text, the first of them on line `first`."""

    kind: LeafKind
    first: int
    lines: list[str] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    """The list marker, where this is what a list item begins with."""
    quoted: bool = False
    container: Container | None = None
    """The outermost container it stands in."""


class Structure:
    """Reads lines into leaves. Use one for one document; `read` is the way in."""

    def __init__(self) -> None:
        self.definitions: set[str] = set()
        """Labels of link reference definitions, as `label_of` gives them; complete after `read`."""
        self._containers: list[Container] = []
        self._leaf: Leaf | None = None
        self._fence = ""
        self._fence_indent = 0
        self._html: int | None = None
        self._done: list[Leaf] = []

    def read(self, lines: list[str], first: int = 1) -> list[Leaf]:
        """The leaves of a document in order. `first` is the line number of `lines[0]`."""
        blank = False
        for number, line in enumerate(lines, first):
            # Blank lines after the first change nothing, however deep the containers are.
            if line or not blank or self._leaf is not None:
                self._line(number, line)
            blank = not line
        self._unwind(0)
        return self._done

    def _line(self, number: int, raw: str) -> None:
        line = detab(raw) if "\t" in raw else raw
        at, matched = self._match(line)
        if matched == len(self._containers) and self._continues(line, raw, at):
            return None
        while True:
            start = skip(line, at)
            if start == len(line):
                return self._blank(matched)
            if start - at >= 4:
                break
            after = self._enter(line, at, start, matched)
            if after is None:
                if self._starts(number, line, at, start, matched):
                    return None
                break
            at, matched = after, len(self._containers)
        if start - at >= 4 and not self._paragraph():
            return self._code(number, line[at + 4 :], matched)
        return self._text(number, line[start:], matched)

    def _match(self, line: str) -> tuple[int, int]:
        """The column after the marks of the open containers that the line continues, and their number."""
        at = 0
        for count, container in enumerate(self._containers):
            start = skip(line, at)
            if container.indent is None:
                if start - at > 3 or line[start : start + 1] != ">":
                    return at, count
                at = start + 1 + (line[start + 1 : start + 2] == " ")
            elif start == len(line) and not container.empty:
                at = min(at + container.indent, start)
            elif start < len(line) and start - at >= container.indent:
                at += container.indent
            else:
                return at, count
        return at, len(self._containers)

    def _continues(self, line: str, raw: str, at: int) -> bool:
        """Add the line to an open fence or HTML block, if there is one."""
        leaf = self._leaf
        if leaf is None or not (self._fence or self._html is not None):
            return False
        if self._fence:
            start = skip(line, at)
            rest = line[start:].rstrip()
            if start - at < 4 and rest.startswith(self._fence) and not rest.strip(self._fence[0]):
                self._close()
                return True
            source, at = (line, at) if self._containers else (raw, 0)
            leaf.lines.append(source[min(skip(source, at), at + self._fence_indent) :])
            return True
        if self._html in UNTIL_BLANK and skip(line, at) == len(line):
            return False
        leaf.lines.append(line[at:])
        self._end_html(line[at:])
        return True

    def _enter(self, line: str, at: int, start: int, matched: int) -> int | None:
        """Open the quote or list item that begins at `start`; return the column after its mark."""
        if matched >= _DEEPEST:
            return None
        if line[start] == ">":
            self._push(Container(), matched)
            return start + 1 + (line[start + 1 : start + 2] == " ")
        found = MARKER.match(line, start)
        if found is None or is_rule(line[start:]):
            return None
        content = skip(line, found.end())
        blank = content == len(line)
        if self._interrupts(matched) and (blank or int(found[2] or 1) != 1):
            return None
        after = found.end() + 1 if blank or content - found.end() > 4 else content
        self._push(Container(after - at, found[1]), matched)
        return min(after, len(line))

    def _starts(self, number: int, line: str, at: int, start: int, matched: int) -> bool:
        """Read a line that is a heading, an underline, a rule, or the start of a fence or of HTML."""
        rest = line[start:]
        if self._interrupts(matched) and UNDERLINE.match(rest) and self._underline(rest[0]):
            return True
        if atx := ATX.match(rest):
            title = ATX_END.sub("", rest[atx.end() :].strip()).strip()
            self._open(Leaf("heading", number, [title], len(atx[1])), matched)
            self._close()
        elif fence := FENCE.match(rest):
            self._open(Leaf("code", number + 1), matched)
            self._fence, self._fence_indent = fence[1] or fence[2], start - at
        elif is_rule(rest):
            self._unwind(matched)
        elif (html := html_kind(rest, self._paragraph())) is not None:
            self._open(Leaf("html", number, [rest]), matched)
            self._html = html
            self._end_html(rest)
        else:
            return False
        return True

    def _underline(self, mark: str) -> bool:
        """Make the open paragraph a heading, unless it holds nothing but link definitions."""
        leaf = self._leaf
        if leaf is None or not self._define(leaf):
            self._leaf = None
            return False
        leaf.kind, leaf.level = "heading", 1 if mark == "=" else 2
        self._close()
        return True

    def _blank(self, matched: int) -> None:
        if matched < len(self._containers) or self._paragraph() or self._html is not None:
            self._unwind(matched)
        elif self._leaf is not None:
            self._leaf.lines.append("")

    def _code(self, number: int, text: str, matched: int) -> None:
        if self._leaf is None or matched < len(self._containers):
            self._open(Leaf("code", number), matched)
        if self._leaf is not None:
            self._leaf.lines.append(text)

    def _text(self, number: int, text: str, matched: int) -> None:
        """Add to the open paragraph, even where containers do not go on (lazily), or begin one."""
        if not self._paragraph():
            self._open(Leaf("paragraph", number), matched)
        if self._leaf is not None:
            self._leaf.lines.append(text)

    def _paragraph(self) -> bool:
        return self._leaf is not None and self._leaf.kind == "paragraph"

    def _interrupts(self, matched: int) -> bool:
        return matched == len(self._containers) and self._paragraph()

    def _end_html(self, line: str) -> None:
        kind = self._html
        if kind is not None and kind not in UNTIL_BLANK:
            lower = line.lower()
            if any(end in lower for end in HTML_ENDS[kind]):
                self._close()

    def _push(self, container: Container, matched: int) -> None:
        self._unwind(matched)
        if self._containers:
            self._containers[-1].empty = False
        self._containers.append(container)

    def _open(self, leaf: Leaf, matched: int) -> None:
        self._unwind(matched)
        if self._containers:
            last = self._containers[-1]
            leaf.marker = last.marker if last.empty else ""
            leaf.quoted = any(container.indent is None for container in self._containers)
            leaf.container = self._containers[0]
            last.empty = False
        self._leaf = leaf

    def _unwind(self, matched: int) -> None:
        self._close()
        del self._containers[matched:]

    def _close(self) -> None:
        leaf, self._leaf, self._fence, self._html = self._leaf, None, "", None
        if leaf is None or (leaf.kind == "paragraph" and not self._define(leaf)):
            return
        self._done.append(leaf)

    def _define(self, leaf: Leaf) -> bool:
        """Take the link reference definitions off a paragraph; say whether anything is left."""
        if not leaf.lines[0].startswith("["):
            return True
        text, at = "\n".join(leaf.lines), 0
        while found := DEFINITION.match(text, at):
            self.definitions.add(label_of(found[1]))
            at = found.end()
        taken = text.count("\n", 0, at)
        leaf.first += taken
        del leaf.lines[: taken if at < len(text) or not at else None]
        return bool(leaf.lines)

"""reStructuredText: heading paths, paragraphs, list items, table rows and code, with exact lines.

Levels follow the order in which underline styles appear. Comments, link targets, options and
directives that only steer the page are dropped; the text of every other directive is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from ragcli.formats import rsttables, text
from ragcli.formats.limits import Limits
from ragcli.formats.outline import Outline
from ragcli.formats.rstinline import reduce
from ragcli.types import Block, BlockKind, Parsed

VERSION = 1

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1+\s*$")
_EXPLICIT = re.compile(r"\.\.(?: +|$)")
_DIRECTIVE = re.compile(r"((?:[A-Za-z][\w.+-]*+:)?[A-Za-z][\w.+-]*+) ?::(?: +|$)")
_INVISIBLE = re.compile(r"_[^ ].*:|__[ :]|\|[^|]+\| ")
_FOOTNOTE = re.compile(r"\[[^\]]+\] ")
_OPTION = re.compile(r":[\w][\w .-]*:(?: |$)")
_ITEM = re.compile(
    r"(?:[-*+•‣]|(?:\d{1,4}|[A-Za-z#]|[ivxIVX]{1,7})[.)]|\((?:\d{1,4}|[A-Za-z#])\)) +\S"
)
_FIELD = re.compile(r"([A-Z][\w-]*): (.*)")
_CODE = frozenset(
    {"code", "code-block", "sourcecode", "parsed-literal", "prompt", "math", "doctest", "console"}
)
_DROPPED = frozenset(
    {
        "toctree",
        "contents",
        "image",
        "raw",
        "include",
        "literalinclude",
        "index",
        "highlight",
        "meta",
    }
    | {
        "default-role",
        "role",
        "currentmodule",
        "module",
        "py:module",
        "py:currentmodule",
        "sectnum",
    }
    | {
        "automodule",
        "only",
        "tabs",
        "target-notes",
        "testsetup",
        "testcleanup",
        "graphviz",
        "tabularcolumns",
    }
)
_NAMED = frozenset({"versionadded", "versionchanged", "deprecated", "versionremoved"})


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read an RST file as one document. Raises ParseError where it holds no text."""
    source, warnings = text.source(data, limits)
    lines = [line.expandtabs(8).rstrip() for line in source.split("\n")]
    blocks = list(_Reader(lines).read()) or list(text.paragraphs(lines))
    headed = (block.text for block in blocks if block.kind == "heading" and len(block.heading) == 1)
    yield Parsed(blocks, _header_title(lines) or next(headed, None), warnings=warnings)


def _header_title(lines: list[str]) -> str | None:
    """The title in a header like a mail's, which enhancement proposals begin with."""
    for line in lines[:30]:
        field = _FIELD.match(line)
        if not field and not line.startswith(" "):
            return None
        if field and field[1] == "Title":
            return field[2].strip() or None
    return None


class _Reader:
    """Reads lines one after another; `_at` is the index of the next."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._outline = Outline()
        self._styles: list[tuple[str, bool]] = []

    def read(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line:
                self._at += 1
            elif (heading := self._heading()) is not None:
                yield from heading
            elif _EXPLICIT.match(line.lstrip()):
                yield from self._explicit()
            elif (end := rsttables.end_of(self._lines, self._at)) is not None:
                yield from rsttables.rows(
                    self._lines[self._at : end], self._at + 1, self._outline.path
                )
                self._at = end
            elif line.lstrip().startswith(">>> "):
                yield from self._block(self._until_blank(), "code")
            else:
                yield from self._paragraph()

    def _heading(self) -> list[Block] | None:
        """A section title, with a line under it or also over it; an empty list for a transition."""
        line, below = self._lines[self._at], self._line(self._at + 1)
        mark = _ADORNMENT.match(line)
        if mark and below and _same_style(line, self._line(self._at + 2)):
            return self._section(below, self._at + 1, (mark[1], True), 3)
        if mark and len(line) >= 4 and not below:
            self._at += 1
            return []
        under = _ADORNMENT.match(below) if not mark and not line.startswith(" ") else None
        if under and (len(below) >= 4 or len(below) >= len(line)) and not below.startswith("::"):
            return self._section(line, self._at, (under[1], False), 2)
        return None

    def _section(self, title: str, at: int, style: tuple[str, bool], taken: int) -> list[Block]:
        if style not in self._styles:
            self._styles.append(style)
        self._at += taken
        shown = reduce(title.strip())
        path = self._outline.enter(self._styles.index(style) + 1, shown)
        return [Block(shown, "heading", path, lines=(at + 1, at + 1))]

    def _explicit(self) -> Iterator[Block]:
        """Comments, targets, footnotes and directives: what begins with two dots."""
        line = self._lines[self._at]
        indent = len(line) - len(line.lstrip())
        body = line[indent:][2:].lstrip()
        directive = _DIRECTIVE.match(body)
        if directive:
            yield from self._directive(directive[1].lower(), body[directive.end() :], indent)
        elif _FOOTNOTE.match(body) and not _INVISIBLE.match(body):
            start = self._at
            self._at += 1
            self._skip_block(indent)
            footnote = [body, *(line.strip() for line in self._lines[start + 1 : self._at])]
            yield from text.solid(
                [reduce(line) for line in footnote], start + 1, "paragraph", self._path
            )
        else:
            self._at += 1
            # An empty comment ends at once; any other takes what is indented below it.
            if body or self._line(self._at):
                self._skip_block(indent)

    def _directive(self, name: str, argument: str, indent: int) -> Iterator[Block]:
        start = self._at
        self._at += 1
        if name in _DROPPED:
            self._skip_block(indent)
            return
        if name in _NAMED:
            argument = f"{name}:: {argument}"
        if argument and name not in _CODE and name not in ("figure", "csv-table", "list-table"):
            rest = self._indented_run(indent)
            words = reduce("\n".join([argument, *rest])).split("\n")
            yield from text.solid(words, start + 1, "paragraph", self._path)
        while _OPTION.match(option := self._line(self._at).lstrip()):
            self._at += 1
            if option.startswith(":caption: "):
                yield from self._block([reduce(option.removeprefix(":caption: "))], "paragraph")
        if name in _CODE:
            start = self._at
            self._skip_block(indent)
            yield from self._code(start)

    def _paragraph(self) -> Iterator[Block]:
        """A paragraph or list item; a double colon at its end makes what is indented below it code."""
        start = self._at
        line = self._lines[start]
        indent = len(line) - len(line.lstrip())
        kind: BlockKind = "item" if _ITEM.match(line.lstrip()) else "paragraph"
        lines = self._until_blank(items=kind == "item")
        literal = lines[-1].endswith("::")
        if literal:
            lines[-1] = (
                lines[-1].removesuffix("::") if lines[-1].endswith(" ::") else lines[-1][:-1]
            )
            lines[-1] = "" if lines[-1].strip() == ":" else lines[-1]
        yield from self._block(lines, kind)
        if literal:
            start = self._at
            self._skip_block(indent)
            yield from self._code(start)

    @property
    def _path(self) -> tuple[str, ...]:
        return self._outline.path

    def _line(self, at: int) -> str:
        return self._lines[at] if at < len(self._lines) else ""

    def _block(self, lines: list[str], kind: BlockKind) -> Iterator[Block]:
        """A block of the lines that were just read."""
        first = self._at - len(lines) + 1
        if kind != "code":
            lines = reduce("\n".join(line.strip() for line in lines)).split("\n")
        yield from text.solid(lines, first, kind, self._path)

    def _code(self, start: int) -> Iterator[Block]:
        """A block of the lines from `start` to here, without the margin they share."""
        lines = dedent("\n".join(self._lines[start : self._at])).split("\n")
        yield from text.solid(lines, start + 1, "code", self._path)

    def _until_blank(self, *, items: bool = False) -> list[str]:
        """The lines up to a blank one, and up to the next list item where this is one."""
        start = self._at
        self._at += 1
        while line := self._line(self._at):
            if (items and _ITEM.match(line.lstrip())) or _EXPLICIT.match(line.lstrip()):
                break
            self._at += 1
        return self._lines[start : self._at]

    def _indented_run(self, indent: int) -> list[str]:
        """The rest of an argument: lines directly below that are indented and no options."""
        start = self._at
        while (line := self._line(self._at)).startswith(" " * (indent + 1)):
            if _OPTION.match(line.lstrip()):
                break
            self._at += 1
        return [line.strip() for line in self._lines[start : self._at]]

    def _skip_block(self, indent: int) -> None:
        """Pass over blank lines and lines that are indented more than this."""
        end = self._at
        margin = " " * (indent + 1)
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line and not line.startswith(margin):
                break
            self._at += 1
            end = self._at if line else end
        self._at = end


def _same_style(over: str, under: str) -> bool:
    return under[:1] == over[:1] and _ADORNMENT.match(under) is not None

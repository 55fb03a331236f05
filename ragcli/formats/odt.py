"""ODT: the text of an OpenDocument file with headings, notes, comments and table rows.

Pages are counted from the breaks that the writer left behind, so they are marked "about".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from ragcli.errors import ParseError
from ragcli.formats import xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.encoding import clean
from ragcli.formats.limits import Limits, fit
from ragcli.formats.opc import Properties
from ragcli.formats.story import Story, furniture
from ragcli.formats.xml import Attributes
from ragcli.types import Block, Parsed

VERSION = 1
_DROPPED = frozenset(
    {"text:tracked-changes", "text:note-citation", "text:ruby-text", "svg:title", "svg:desc"}
    | {"office:binary-data", "office:forms", "dc:creator", "dc:date", "text:hidden-text"}
)
_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})
_ASIDES = {"text:note-body": "", "office:annotation": "Comment: "}
_SPACE = re.compile(r"\s+")
_BREAK = "\x1f"


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read an OpenDocument text. Raises ParseError where it is encrypted or holds no text."""
    archive = Archive(data, limits)
    styles, properties = _Styles(), Properties()
    for part, handler in (
        ("styles.xml", styles),
        ("content.xml", styles),
        ("meta.xml", properties),
    ):
        with suppress(Damaged):
            if part in archive:
                xml.parse(archive.stream(part), handler)
    warnings: list[str] = []
    story = _Story(styles)
    blocks, cut = fit(_blocks(archive, story, warnings), limits)
    if not blocks:
        raise ParseError(warnings[0] if warnings else "It holds no text.")
    title = properties.title() or story.out.title
    yield Parsed(blocks, title, None, properties.metadata(), "about", "line", warnings + cut)


def _blocks(archive: Archive, story: _Story, warnings: list[str]) -> Iterator[Block]:
    yield from _drained(archive, "content.xml", story, warnings)
    if "styles.xml" in archive:
        # Headers and footers stand on every page; once, at the end, is enough.
        for block in _drained(archive, "styles.xml", story, warnings):
            if kept := furniture(block):
                yield kept


def _drained(archive: Archive, part: str, story: _Story, warnings: list[str]) -> Iterator[Block]:
    try:
        for _ in xml.steps(archive.stream(part), story):
            yield from story.out.drain()
    except Damaged as error:
        warnings.append(f"{error.message} What follows it is missing.")
    yield from story.out.drain()


@dataclass(slots=True)
class _Styles:
    """A handler that keeps what matters of the styles, by name."""

    parent: dict[str, str] = field(default_factory=dict)
    breaking: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    _name: str = ""

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "style:style":
            self._name = attributes.get("style:name", "")
            self.parent[self._name] = attributes.get("style:parent-style-name", "")
            if attributes.get("style:master-page-name"):
                self.breaking.add(self._name)
        elif name == "style:paragraph-properties" or name == "style:table-properties":
            if attributes.get("fo:break-before") == "page":
                self.breaking.add(self._name)
        elif name == "style:text-properties" and attributes.get("text:display") == "none":
            self.hidden.add(self._name)

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...

    def is_title(self, style: str) -> bool:
        """Whether a style is the document title's, by itself or automatically derived from it."""
        return "Title" in (style, self.parent.get(style))


@dataclass(slots=True)
class _Paragraph:
    style: str
    level: int | None
    page: int | None = None
    parts: list[str] = field(default_factory=list)


class _Story:
    """A handler for the content part; what it makes goes to `out`."""

    def __init__(self, styles: _Styles) -> None:
        self.out = Story()
        self._styles = styles
        self._begun = False
        self._aside: str | None = None
        self._paragraphs: list[_Paragraph] = []
        self._hidden: list[bool] = []
        self._lists = 0
        self._header: bool | None = None
        self._dropping = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if self._dropping or name in _DROPPED:
            self._dropping += 1
        elif name == "text:p" or name == "text:h":
            self._start_paragraph(name, attributes)
        elif name == "text:span":
            hidden = attributes.get("text:style-name", "") in self._styles.hidden
            self._hidden.append(hidden or any(self._hidden[-1:]))
        elif name == "text:s" or name == "text:tab":
            self._add(" ")
        elif name == "text:line-break":
            self._add(_BREAK)
        elif name == "text:soft-page-break":
            self.out.page += 1
        elif name == "text:list":
            self._lists += 1
        elif name in _ASIDES:
            self._aside = _ASIDES[name]
        elif name.startswith("table:"):
            self._start_in_table(name, attributes)

    def _start_paragraph(self, name: str, attributes: Attributes) -> None:
        style = attributes.get("text:style-name", "")
        level = attributes.get("text:outline-level", "1") if name == "text:h" else ""
        number = int(level) if re.fullmatch("[1-9][0-9]?", level) else None
        if number is None and self._styles.is_title(style):
            number = 1
        self._break_before(style)
        self._paragraphs.append(_Paragraph(style, number))

    def _break_before(self, style: str) -> None:
        if style in self._styles.breaking and self._begun and not self._paragraphs:
            self.out.page += 1
        self._begun = True

    def _start_in_table(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            if not self.out.in_table:
                self._break_before(attributes.get("table:style-name", ""))
            self.out.open_table()
        elif name == "table:table-header-rows":
            self._header = True
        elif name == "table:table-row":
            self.out.open_row()
        elif name in _CELLS:
            self.out.open_cell()

    def end(self, name: str) -> None:
        if self._dropping:
            self._dropping -= 1
        elif name == "text:p" or name == "text:h":
            self._end_paragraph(self._paragraphs.pop())
        elif name == "text:span":
            self._hidden.pop()
        elif name == "text:list":
            self._lists -= 1
        elif name in _ASIDES:
            self._aside = None
        elif name == "table:table-header-rows":
            self._header = None
        elif name == "table:table-row":
            self.out.close_row(header=self._header)
        elif name == "table:table":
            self.out.close_table()

    def text(self, data: str) -> None:
        if self._paragraphs and not self._dropping:
            self._add(_SPACE.sub(" ", data))

    def _add(self, text: str) -> None:
        if not self._paragraphs or any(self._hidden[-1:]):
            return
        paragraph = self._paragraphs[-1]
        if paragraph.style in self._styles.hidden:
            return
        if paragraph.page is None and not text.isspace():
            paragraph.page = self.out.page
        paragraph.parts.append(text)

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        text = _SPACE.sub(" ", "".join(paragraph.parts).replace(_BREAK, "\x00"))
        text = clean(re.sub(" ?\x00 ?", "\n", text)).strip()
        if self._aside is not None:
            self.out.note(self._aside + text if text else "")
            return
        self.out.paragraph(
            text,
            page=paragraph.page,
            level=paragraph.level,
            item=self._lists > 0,
            title=text if self._styles.is_title(paragraph.style) else None,
        )

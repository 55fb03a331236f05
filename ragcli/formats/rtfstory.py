"""The paragraphs and tables of a Rich Text file, as its control words shape them.

Knows what the words mean for the text; tokens, groups and character sets are the reader's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ragcli.formats.encoding import clean
from ragcli.formats.story import Story

_HEADING_NAME = re.compile(r"heading ([1-9])")
_SPACE = re.compile(r"[^\S\n]+")


@dataclass(slots=True)
class Style:
    """A paragraph style: its heading level, and whether it is the document title's."""

    level: int | None = None
    title: bool = False

    def name(self, text: str) -> None:
        """Take what the name of the style says."""
        name = text.split(";")[0].strip().casefold()
        if found := _HEADING_NAME.fullmatch(name):
            self.level = int(found[1])
        elif name == "title":
            self.level, self.title = 1, True


@dataclass(slots=True)
class _Paragraph:
    parts: list[str] = field(default_factory=list)
    page: int | None = None
    style: Style = field(default_factory=Style)
    level: int | None = None
    in_table: bool = False
    labelled: bool = False


class RtfStory:
    """Collects the text of the body; what it makes goes to `out`."""

    def __init__(self) -> None:
        self.out = Story()
        self.paged = False
        """Whether the file says anything of pages."""
        self._new_section = False
        self._paragraph = _Paragraph()
        self._cells: list[str] = []

    def add(self, text: str) -> None:
        """Add text to the paragraph, which is on the page of its first word."""
        if self._paragraph.page is None and text.strip():
            self._paragraph.page = self.out.page
            self._new_section = False
        self._paragraph.parts.append(text)

    def plain(self) -> None:
        """Reset the properties of the paragraph (`\\pard`)."""
        self._paragraph.style, self._paragraph.level = Style(), None
        self._paragraph.in_table = False

    def style(self, style: Style) -> None:
        """Set the style of the paragraph (`\\s`)."""
        self._paragraph.style = style

    def level(self, level: int | None) -> None:
        """Set the heading level of the paragraph (`\\outlinelevel`)."""
        self._paragraph.level = level

    def label(self) -> None:
        """Say that the text that follows begins with a list label."""
        self._paragraph.labelled = True

    def enter_table(self) -> None:
        """Say that the paragraph is part of a table cell (`\\intbl`)."""
        self._paragraph.in_table = True

    def break_page(self) -> None:
        """Go on to the next page."""
        self.end_line()
        self.out.page += 1
        self.paged = True

    def break_section(self) -> None:
        """Begin a section, on a new page unless it says otherwise."""
        self.break_page()
        self._new_section = True

    def continue_page(self) -> None:
        """The section just begun turns out to go on with the page (`\\sbknone`)."""
        if self._new_section:
            self.out.page -= 1
            self._new_section = False

    def end_line(self) -> None:
        """End the paragraph, or a line of a table cell."""
        if self._paragraph.in_table:
            self._paragraph.parts.append("\n")
        else:
            self.end_paragraph()

    def end_cell(self) -> None:
        """End a cell of a table row."""
        self._cells.append(self._taken())

    def end_row(self) -> None:
        """End a row of a table."""
        cells, self._cells = self._cells, []
        self.out.row(cells, self._paragraph.page or self.out.page)
        self._paragraph.page = None

    def end_paragraph(self) -> None:
        """End the paragraph, and the table before it."""
        paragraph = self._paragraph
        text = " ".join([*self._cells, self._taken()]).strip()
        self._cells = []
        if text:
            self.out.close_table()
        self.out.paragraph(
            text,
            page=paragraph.page,
            level=paragraph.level or paragraph.style.level,
            item=paragraph.labelled,
            title=text if paragraph.style.title else None,
        )
        paragraph.page, paragraph.labelled = None, False

    def _taken(self) -> str:
        text = tidy("".join(self._paragraph.parts))
        self._paragraph.parts = []
        return text


def tidy(text: str) -> str:
    """Text with its space collapsed, but for line ends."""
    return clean(_SPACE.sub(" ", text)).strip()

"""Running text with headings, notes and tables, as a word processor tells it, into blocks.

What DOCX, ODT and RTF share. Knows pages by number and headings by level, and no file format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ragcli.formats.grid import Rows
from ragcli.formats.outline import Outline
from ragcli.types import Block, BlockKind


class Story:
    """Collects blocks; take those made so far with `drain`. `page` is the one being written on."""

    def __init__(self) -> None:
        self.page = 1
        self.title: str | None = None
        self._made: list[Block] = []
        self._outline = Outline()
        self._notes: list[str] = []
        self._rows = Rows()
        self._tables = 0
        self._cells: list[list[str]] = []
        self._row_page = 1
        self._nested_cell = False

    @property
    def in_table(self) -> bool:
        """Whether a table is open."""
        return self._tables > 0

    def drain(self) -> list[Block]:
        """The blocks made since the last call."""
        made, self._made = self._made, []
        return made

    def paragraph(
        self,
        text: str,
        *,
        page: int | None = None,
        level: int | None = None,
        item: bool = False,
        title: str | None = None,
    ) -> None:
        """Add a paragraph: a heading where it has a level, part of a cell where one is open.

        `title` is its text where it is the title of the document.
        """
        if self._cells:
            self._cells[-1].append(text)
            return
        if text:
            kind: BlockKind = "item" if item else "paragraph"
            if level is not None:
                kind = "heading"
                self._outline.enter(level, text)
                self.title = self.title or title
            self._made.append(Block(text, kind, self._outline.path, page or self.page))
        self._add_notes(page or self.page)

    def note(self, text: str) -> None:
        """Add a note or comment, to follow the paragraph or the row that it hangs on."""
        self._notes += [text] if text else []

    def _add_notes(self, page: int) -> None:
        path = self._outline.path
        self._made += [Block(text, "paragraph", path, page) for text in self._notes]
        self._notes = []

    def open_table(self) -> None:
        """Begin a table; the text of a table in a table joins the cell it stands in."""
        self._tables += 1
        if self._tables == 1:
            self._rows = Rows()

    def open_row(self) -> None:
        """Begin a row of the table."""
        self._nested_cell = False
        if self._tables == 1:
            self._cells, self._row_page = [], self.page

    def open_cell(self) -> None:
        """Begin a cell of the row."""
        if self._tables == 1:
            self._cells.append([])
        elif self._cells and self._nested_cell:
            self._cells[-1].append("|")
        self._nested_cell = self._tables > 1

    def close_row(self, *, header: bool | None = None) -> None:
        """End the row; `header` is whether the writer says that it names the columns."""
        if self._tables != 1:
            return
        cells, self._cells = self._cells, []
        if len(cells) == 1:
            for text in cells[0]:
                self.paragraph(text, page=self._row_page)
        else:
            self.row([" ".join(cell) for cell in cells], self._row_page, header=header)

    def row(self, cells: Sequence[str], page: int, *, header: bool | None = None) -> None:
        """Add a whole row of the table at hand."""
        place = Block("", "row", self._outline.path, page)
        self._made += self._rows.add(cells, place, header=header)
        self._add_notes(page)

    def close_table(self) -> None:
        """End the table."""
        self._tables = max(self._tables - 1, 0)
        if not self._tables:
            self._made += self._rows.close()
            self._rows = Rows()
            self._cells = []


def furniture(block: Block) -> Block | None:
    """A block of a page header or footer as it is kept, once: without a place; None if it has no word."""
    if not any(map(str.isalpha, block.text)):
        return None
    return replace(block, heading=(), page=None, kind="paragraph", header=None)

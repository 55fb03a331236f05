"""A story of a Word document (body, note, comment, header) as blocks, event by event.

Keeps inserted text, text boxes and field results; drops deleted, moved-away and hidden text.
Pages are counted from the breaks that Word left behind, so they are about right, not exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ragcli.formats.encoding import clean
from ragcli.formats.story import Story
from ragcli.formats.wordstyles import Lists, Styles, is_on, number
from ragcli.formats.xml import Attributes

_DROPPED = frozenset(
    {"w:del", "w:moveFrom", "w:delText", "w:instrText", "w:rt", "mc:Fallback"}
    | {f"w:{part}PrChange" for part in ("p", "r", "sect", "tbl", "tblEx", "tr", "tc")}
    | {"w:tblGridChange", "w:numberingChange"}
)
_NOTES = {
    "w:footnoteReference": "footnote",
    "w:endnoteReference": "endnote",
    "w:commentReference": "comment",
}
_TABLE_PARTS = frozenset({"w:tbl", "w:tr", "w:tc", "w:tblHeader"})
_SPACE = re.compile(r"[^\S\n]+")


@dataclass(slots=True)
class _Paragraph:
    page: int | None = None
    style: str | None = None
    level: int | None = None
    list_id: str | None = None
    list_level: int | None = None
    parts: list[str] = field(default_factory=list)
    in_run: bool = False
    run_hidden: bool | None = None


class WordStory:
    """A handler for one story of a document; what it makes goes to `out`."""

    def __init__(self, styles: Styles, lists: Lists, notes: dict[tuple[str, str], str]) -> None:
        """`notes` is the text of footnotes, endnotes and comments by kind and id."""
        self.out = Story()
        self._styles = styles
        self._lists = lists
        self._notes = notes
        self._paragraphs: list[_Paragraph] = []
        self._header: bool | None = None
        self._dropping = 0
        self._reading = False
        self._fresh_page = False

    def start(self, name: str, attributes: Attributes) -> None:
        if self._dropping or name in _DROPPED:
            self._dropping += 1
        elif name == "w:t" or name == "m:t":
            self._reading = True
        elif name == "w:p":
            self._paragraphs.append(_Paragraph())
        elif name in _TABLE_PARTS:
            self._start_in_table(name, attributes)
        elif not self._paragraphs:
            return
        elif name in _NOTES:
            self.out.note(self._notes.get((_NOTES[name], attributes.get("w:id", "")), ""))
        elif name == "w:r":
            self._paragraphs[-1].in_run, self._paragraphs[-1].run_hidden = True, None
        elif self._paragraphs[-1].in_run:
            self._start_in_run(self._paragraphs[-1], name, attributes)
        else:
            self._start_in_paragraph(self._paragraphs[-1], name, attributes)

    def _start_in_run(self, paragraph: _Paragraph, name: str, attributes: Attributes) -> None:
        if name == "w:vanish":
            paragraph.run_hidden = is_on(attributes)
        elif name == "w:rStyle" and paragraph.run_hidden is None:
            paragraph.run_hidden = self._styles.is_hidden(attributes.get("w:val")) or None
        elif name == "w:br" and attributes.get("w:type") == "page":
            self._break_page(rendered=False)
        elif name == "w:lastRenderedPageBreak":
            self._break_page(rendered=True)
        elif name in ("w:br", "w:cr"):
            self.add("\n")
        elif name == "w:tab" or name == "w:ptab":
            self.add(" ")
        elif name == "w:noBreakHyphen":
            self.add("-")
        elif name == "w:sym":
            self.add(_symbol(attributes.get("w:char", "")))

    def _start_in_paragraph(self, paragraph: _Paragraph, name: str, attributes: Attributes) -> None:
        if name == "w:pStyle":
            paragraph.style = attributes.get("w:val")
        elif name == "w:outlineLvl":
            paragraph.level = number(attributes)
        elif name == "w:numId":
            paragraph.list_id = attributes.get("w:val")
        elif name == "w:ilvl":
            paragraph.list_level = number(attributes)
        elif name == "w:pageBreakBefore" and is_on(attributes):
            self._break_page(rendered=False)

    def _start_in_table(self, name: str, attributes: Attributes) -> None:
        if name == "w:tbl":
            self.out.open_table()
        elif name == "w:tr":
            self.out.open_row()
            self._header = None
        elif name == "w:tc":
            self.out.open_cell()
        elif is_on(attributes):
            self._header = True

    def end(self, name: str) -> None:
        if self._dropping:
            self._dropping -= 1
        elif name == "w:t" or name == "m:t":
            self._reading = False
        elif name == "w:p":
            self._end_paragraph(self._paragraphs.pop())
        elif name == "w:r" and self._paragraphs:
            self._paragraphs[-1].in_run = False
        elif name == "w:tr":
            self.out.close_row(header=self._header)
        elif name == "w:tbl":
            self.out.close_table()

    def text(self, data: str) -> None:
        if self._reading and not self._dropping:
            self.add(data)

    def add(self, text: str) -> None:
        """Add text to the paragraph at hand, unless its run or its style hides it."""
        if not self._paragraphs:
            return
        paragraph = self._paragraphs[-1]
        hidden = paragraph.run_hidden
        if hidden or (hidden is None and self._styles.is_hidden(paragraph.style)):
            return
        if paragraph.page is None and text.strip():
            # A paragraph is on the page of its first word.
            paragraph.page = self.out.page
            self._fresh_page = False
        paragraph.parts.append(text)

    def _break_page(self, *, rendered: bool) -> None:
        # Word notes the break that it rendered for a hard one as well; inside tables it notes too many.
        if rendered and (self.out.in_table or self._fresh_page):
            return
        self.out.page += 1
        self._fresh_page = not rendered

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        text = clean(_SPACE.sub(" ", "".join(paragraph.parts))).strip()
        label = self._label(paragraph) if text else ""
        labelled = f"{label} {text}" if label else text
        self.out.paragraph(
            labelled,
            page=paragraph.page,
            level=self._styles.heading_level(paragraph.style, paragraph.level),
            item=bool(label),
            title=text if self._styles.is_title(paragraph.style) else None,
        )

    def _label(self, paragraph: _Paragraph) -> str:
        list_id, level = self._styles.list_of(paragraph.style)
        list_id = list_id if paragraph.list_id is None else paragraph.list_id
        if not list_id or list_id == "0":
            return ""
        level = level if paragraph.list_level is None else paragraph.list_level
        if level is None:
            level = self._lists.level_of_style(list_id, paragraph.style)
        return self._lists.label(list_id, level)


def _symbol(code: str) -> str:
    """The character of `w:sym`; symbol fonts have only their bullets and marks in common."""
    value = int(code, 16) if re.fullmatch(r"[0-9A-Fa-f]{2,5}", code) else 0
    return "•" if 0xE000 <= value < 0xF900 or value < 32 else chr(value)

"""DOCX: the body of a Word document with headings, list labels, notes and table rows.

Page numbers are Word's own from when it last saved, so they are marked "about".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ragcli.errors import ParseError
from ragcli.formats import opc, xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.encoding import clean
from ragcli.formats.limits import Limits, fit
from ragcli.formats.story import furniture
from ragcli.formats.wordstory import WordStory
from ragcli.formats.wordstyles import Lists, Styles
from ragcli.formats.xml import Attributes
from ragcli.types import Block, Parsed

VERSION = 1
_USUAL = "word/document.xml"
_NOTE_PARTS = ("footnotes", "endnotes", "comments")
_MORE_THAN_A_PAGE = 6000


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a Word document. Raises ParseError where it is encrypted, unreadable or without text."""
    archive = Archive(data, limits)
    part = opc.main_part(archive, _USUAL)
    styles, lists = Styles(), Lists()
    warnings: list[str] = []
    _load(archive, part, "styles", styles, warnings)
    _load(archive, part, "numbering", lists, warnings)
    notes = _notes(archive, part, styles, lists, warnings)
    story = WordStory(styles, lists, notes)
    blocks, cut = fit(_blocks(archive, part, story, warnings), limits)
    if not blocks:
        raise ParseError(warnings[0] if warnings else "It holds no text.")
    properties = opc.properties(archive)
    title = properties.title() or story.out.title
    document = Parsed(_placed(blocks, story.out.page), title, None, properties.metadata(), "about")
    document.warnings = warnings + cut
    yield document


def _load(
    archive: Archive, part: str, kind: str, handler: xml.Handler, warnings: list[str]
) -> None:
    """Read a part that the document can do without."""
    for target in opc.targets(archive, part, kind):
        try:
            xml.parse(archive.stream(target), handler)
        except Damaged as error:
            warnings.append(error.message)


def _blocks(archive: Archive, part: str, story: WordStory, warnings: list[str]) -> Iterator[Block]:
    yield from _drained(archive, part, story, warnings)
    seen: set[str] = set()
    for kind in ("header", "footer"):
        for target in opc.targets(archive, part, kind):
            for block in _drained(archive, target, story, warnings):
                kept = furniture(block)
                if kept and kept.text not in seen:
                    seen.add(kept.text)
                    yield kept


def _drained(archive: Archive, part: str, story: WordStory, warnings: list[str]) -> Iterator[Block]:
    try:
        for _ in xml.steps(archive.stream(part), story):
            yield from story.out.drain()
    except Damaged as error:
        warnings.append(f"{error.message} What follows it is missing.")
    yield from story.out.drain()


def _placed(blocks: list[Block], pages: int) -> list[Block]:
    """Without any page break in a long text nobody knows the pages: most writers but Word note none."""
    if pages > 1 or sum(len(block.text) for block in blocks) <= _MORE_THAN_A_PAGE:
        return blocks
    return [replace(block, page=None) for block in blocks]


class _Notes:
    """A handler that sorts the text of notes and comments by id, on top of a story."""

    def __init__(self, story: WordStory) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self._story = story
        self._id = ""
        self._author = ""

    def start(self, name: str, attributes: Attributes) -> None:
        if name in ("w:footnote", "w:endnote", "w:comment"):
            self._id = attributes.get("w:id", "")
            self._author = attributes.get("w:author", "")[:100]
        self._story.start(name, attributes)

    def end(self, name: str) -> None:
        self._story.end(name)
        if name in ("w:footnote", "w:endnote", "w:comment"):
            text = "\n".join(block.text for block in self._story.out.drain())
            if text and name == "w:comment":
                text = clean(
                    f"Comment by {self._author}: {text}" if self._author else f"Comment: {text}"
                )
            self.found[name.removeprefix("w:"), self._id] = text

    def text(self, data: str) -> None:
        self._story.text(data)


def _notes(
    archive: Archive, part: str, styles: Styles, lists: Lists, warnings: list[str]
) -> dict[tuple[str, str], str]:
    notes = _Notes(WordStory(styles, lists, {}))
    for kind in _NOTE_PARTS:
        _load(archive, part, kind, notes, warnings)
    return notes.found

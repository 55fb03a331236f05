"""PPTX: every slide in the order shown, under its title, with tables, notes and comments.

Slides are numbered by position, hidden ones counted. Slide numbers, dates and footers are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ragcli.errors import ParseError
from ragcli.formats import opc, xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.encoding import clean
from ragcli.formats.grid import Rows
from ragcli.formats.limits import Limits, fit
from ragcli.formats.xml import Attributes
from ragcli.types import Block, BlockKind, Parsed

VERSION = 1
_USUAL = "ppt/presentation.xml"
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a presentation; `page` is the slide. Raises ParseError where it holds no text."""
    archive = Archive(data, limits)
    part = opc.main_part(archive, _USUAL)
    order = _Order()
    xml.parse(archive.stream(part), order)
    slides = {found.id: found.target for found in opc.relationships(archive, part)}
    authors = _authors(archive, part)
    warnings: list[str] = []
    parts = [(number, slides.get(id_, "")) for number, id_ in enumerate(order.slides, 1)]
    blocks, cut = fit(_blocks(archive, parts, authors, warnings), limits)
    if not blocks:
        raise ParseError(warnings[0] if warnings else "It holds no text.")
    properties = opc.properties(archive)
    first = blocks[0].text if blocks[0].kind == "heading" and blocks[0].page == 1 else None
    title = properties.title() or first
    yield Parsed(blocks, title, None, properties.metadata(), "slide", "line", warnings + cut)


@dataclass(slots=True)
class _Order:
    """A handler for the presentation part: relationship ids of the slides, in the order shown."""

    slides: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "p:sldId":
            self.slides.append(attributes.get("r:id", ""))

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


@dataclass(slots=True)
class _Authors:
    """A handler for both generations of comment author lists: names by id."""

    names: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, attributes: Attributes) -> None:
        if name in ("p:cmAuthor", "p188:author"):
            self.names[attributes.get("id", "")] = clean(attributes.get("name", ""))[:100]

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def _authors(archive: Archive, part: str) -> dict[str, str]:
    authors = _Authors()
    for kind in ("commentAuthors", "authors"):
        for target in opc.targets(archive, part, kind):
            _read(archive, target, authors, [])
    return authors.names


def _read(archive: Archive, part: str, handler: xml.Handler, warnings: list[str]) -> None:
    try:
        xml.parse(archive.stream(part), handler)
    except Damaged as error:
        warnings.append(f"{part.rpartition('/')[2]}: {error.message}")


def _blocks(
    archive: Archive, parts: list[tuple[int, str]], authors: dict[str, str], warnings: list[str]
) -> Iterator[Block]:
    for number, part in parts:
        if part not in archive:
            warnings.append(f"Slide {number} is missing.")
            continue
        slide = _Shapes()
        _read(archive, part, slide, warnings)
        path = (slide.title,) if slide.title else ()
        if slide.title:
            yield Block(slide.title, "heading", path, number)
        yield from _placed(slide.blocks, path, number)
        yield from _attached(archive, part, path, number, authors, warnings)


def _placed(blocks: list[Block], path: tuple[str, ...], number: int) -> Iterator[Block]:
    for block in blocks:
        yield Block(block.text, block.kind, path, number, header=block.header)


def _attached(
    archive: Archive,
    part: str,
    path: tuple[str, ...],
    number: int,
    authors: dict[str, str],
    warnings: list[str],
) -> Iterator[Block]:
    """What belongs to a slide but lies in other parts: diagrams, speaker notes, comments."""
    for found in opc.relationships(archive, part):
        if found.target not in archive:
            continue
        if found.kind == "diagramData":
            diagram = _Shapes()
            _read(archive, found.target, diagram, warnings)
            yield from _placed(diagram.blocks, path, number)
        elif found.kind == "notesSlide":
            notes = _Shapes()
            _read(archive, found.target, notes, warnings)
            yield from _placed(notes.blocks, (*path, "Notes"), number)
        elif found.kind == "comments":
            comments = _Comments(authors)
            _read(archive, found.target, comments, warnings)
            for text in comments.found:
                yield Block(text, "paragraph", (*path, "Comments"), number)


class _Shapes:
    """A handler for the shapes of a slide or its notes: the title, and every other paragraph."""

    def __init__(self) -> None:
        self._title: list[str] = []
        self.blocks: list[Block] = []
        self._placeholder: str | None = None
        self._parts: list[str] | None = None
        self._reading = False
        self._fallback = 0
        self._rows: Rows | None = None
        self._cells: list[list[str]] = []

    @property
    def title(self) -> str:
        """The text of the title placeholder, on one line."""
        return " ".join(" ".join(self._title).split())

    def start(self, name: str, attributes: Attributes) -> None:
        if self._fallback or name == "mc:Fallback":
            self._fallback += 1
        elif name == "p:sp" or name == "p:graphicFrame":
            self._placeholder = None
        elif name == "p:ph":
            self._placeholder = attributes.get("type", "obj")
        elif name == "a:p":
            self._parts = []
        elif name == "a:t":
            self._reading = True
        elif name == "a:br":
            self._add("\n")
        elif name == "a:tab":
            self._add(" ")
        elif name == "a:tbl":
            self._rows = Rows()
        elif name == "a:tr":
            self._cells = []
        elif name == "a:tc":
            self._cells.append([])

    def end(self, name: str) -> None:
        if self._fallback:
            self._fallback -= 1
        elif name == "a:t":
            self._reading = False
        elif name == "a:p":
            self._end_paragraph(clean("".join(self._parts or ())).strip())
            self._parts = None
        elif name == "p:sp":
            self._placeholder = None
        elif name == "a:tr" and self._rows:
            cells = [" ".join(cell) for cell in self._cells]
            self.blocks += self._rows.add(cells, Block(""))
        elif name == "a:tbl" and self._rows:
            self.blocks += self._rows.close()
            self._rows, self._cells = None, []

    def text(self, data: str) -> None:
        if self._reading and not self._fallback:
            self._add(data)

    def _add(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)

    def _end_paragraph(self, text: str) -> None:
        if not text or self._placeholder in _FURNITURE:
            return
        if self._rows and self._cells:
            self._cells[-1].append(text)
        elif self._placeholder in _TITLES:
            self._title.append(text)
        else:
            kind: BlockKind = "item" if self._placeholder in ("obj", "body") else "paragraph"
            self.blocks.append(Block(text, kind))


class _Comments:
    """A handler for the comments of a slide, of either generation, replies included."""

    def __init__(self, authors: dict[str, str]) -> None:
        self.found: list[str] = []
        self._authors = authors
        self._author = ""
        self._parts: list[str] | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        if name in ("p:cm", "p188:cm", "p188:reply"):
            self._author = self._authors.get(attributes.get("authorId", ""), "")
        elif name in ("p:text", "p188:txBody"):
            self._parts = []
        elif name == "a:br" and self._parts is not None:
            self._parts.append("\n")

    def end(self, name: str) -> None:
        if name == "a:p" and self._parts is not None:
            self._parts.append("\n")
        elif name in ("p:text", "p188:txBody") and self._parts is not None:
            text = clean("".join(self._parts)).strip()
            if text:
                self.found.append(f"{self._author}: {text}" if self._author else text)
            self._parts = None

    def text(self, data: str) -> None:
        if self._parts is not None:
            self._parts.append(data)

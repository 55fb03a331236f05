"""Markdown: heading paths, paragraphs, list items, table rows and code, with exact lines.

Text stays as it is written, one line for each source line, but for what a reader of the page does
not see: link targets, HTML tags, comments, fences, quote marks and indentation (see `mdinline`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from ragcli.formats import frontmatter, html, text
from ragcli.formats.limits import Limits
from ragcli.formats.mdinline import reduce
from ragcli.formats.mdlines import Container, Leaf, Structure
from ragcli.formats.outline import Outline
from ragcli.types import Block, BlockKind, Parsed

VERSION = 1

_DELIMITER = re.compile(r":?-+:?$")
_ANCHOR = re.compile(r"\s*\{[#.:][^{}]*\}$")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a Markdown file as one document. Raises ParseError where it holds no text."""
    source, warnings = text.source(data, limits)
    lines = source.split("\n")
    front = frontmatter.read(lines)
    found = blocks(lines[front.lines :], limits, first=front.lines + 1)
    if not found:
        found = list(text.paragraphs(lines))
    title = front.title or next((block.text for block in found if _is_title(block)), None)
    yield Parsed(found, title, metadata=front.metadata, warnings=warnings)


def _is_title(block: Block) -> bool:
    return block.kind == "heading" and len(block.heading) == 1


def blocks(
    lines: list[str], limits: Limits, *, first: int = 1, outline: Outline | None = None
) -> list[Block]:
    """The blocks of Markdown lines; `first` is the number of `lines[0]`, `outline` goes on in place."""
    structure = Structure()
    leaves = structure.read(lines, first)
    reader = _Reader(structure.definitions, limits, outline or Outline())
    return [block for leaf in leaves for block in reader.read(leaf)]


class _Reader:
    """Turns leaves into blocks, keeping the path of headings."""

    def __init__(self, definitions: Set[str], limits: Limits, outline: Outline) -> None:
        self._definitions = definitions
        self._limits = limits
        self._outline = outline
        self._container: Container | None = None
        self._inner = outline

    def read(self, leaf: Leaf) -> Iterator[Block]:
        outline = self._outline_of(leaf)
        if leaf.kind == "heading":
            lines = [_ANCHOR.sub("", line.strip()) for line in leaf.lines]
            title = reduce("\n".join(lines), self._definitions).strip()
            if title:
                path = outline.enter(leaf.level, title)
                yield from _block(title, leaf.first, "heading", path)
        elif leaf.kind == "code":
            yield from text.solid(leaf.lines, leaf.first, "code", outline.path)
        elif leaf.kind == "html":
            source = "\n".join(leaf.lines)
            yield from html.blocks(source, self._limits, heading=outline.path, first=leaf.first)
        else:
            yield from self._paragraph(leaf, outline.path)

    def _outline_of(self, leaf: Leaf) -> Outline:
        """Headings inside a quote or list go below the path around it, and end with it."""
        if leaf.container is None:
            return self._outline
        if leaf.container is not self._container:
            self._container = leaf.container
            self._inner = Outline(self._outline.path)
        return self._inner

    def _paragraph(self, leaf: Leaf, path: tuple[str, ...]) -> Iterator[Block]:
        table = _table_start(leaf.lines)
        prose = leaf.lines[: len(leaf.lines) if table is None else table]
        kind: BlockKind = "item" if leaf.marker else "quote" if leaf.quoted else "paragraph"
        if prose:
            marked = f"{leaf.marker} " if leaf.marker else ""
            joined = marked + "\n".join(line.rstrip() for line in prose)
            yield from _block(reduce(joined, self._definitions), leaf.first, kind, path)
        if table is not None:
            yield from self._rows(leaf, table, path)

    def _rows(self, leaf: Leaf, start: int, path: tuple[str, ...]) -> Iterator[Block]:
        """Table rows as they are written, with the header row to be repeated above them."""
        rows = [reduce(line.strip(), self._definitions) for line in leaf.lines[start:]]
        if len(rows) == 2:
            yield from _block(rows[0], leaf.first + start, "row", path)
        for number, row in enumerate(rows[2:], leaf.first + start + 2):
            yield Block(row, "row", path, lines=(number, number), header=rows[0])


def _table_start(lines: list[str]) -> int | None:
    """The index of a table's header row: the line above a delimiter row of as many cells."""
    for index, below in enumerate(lines[1:]):
        if "|" in below and not below.strip("|:- \t"):
            cells = _cells(below)
            if all(map(_DELIMITER.match, cells)) and len(_cells(lines[index])) == len(cells):
                return index
    return None


def _cells(row: str) -> list[str]:
    row = row.replace("\\|", "").strip()
    return [cell.strip() for cell in row.removeprefix("|").removesuffix("|").split("|")]


def _block(reduced: str, first: int, kind: BlockKind, path: tuple[str, ...]) -> Iterator[Block]:
    return text.solid([line.strip() for line in reduced.split("\n")], first, kind, path)

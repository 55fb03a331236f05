"""Jupyter notebooks: cells in order, cited by number, under the Markdown headings they stand below.

Text outputs are kept up to `_LONGEST_OUTPUT` characters a cell; images and widgets are not text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from ragcli.errors import ParseError
from ragcli.formats import markdown
from ragcli.formats.encoding import clean, decode
from ragcli.formats.limits import Limits, fit
from ragcli.formats.outline import Outline
from ragcli.formats.text import solid
from ragcli.types import Block, Parsed

VERSION = 1

_LONGEST_OUTPUT = 2000


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a notebook (nbformat 3 or 4) as one document; `page` of a block is its cell.

    Raises ParseError where it is no notebook or holds no text.
    """
    blocks, warnings = fit(_blocks(_cells(data), limits), limits)
    if not blocks:
        raise ParseError("Its cells hold no text.")
    title = next((block.text for block in blocks if block.kind == "heading"), None)
    yield Parsed(blocks, title, page_unit="cell", warnings=warnings)


def _cells(data: bytes) -> list[object]:
    try:
        notebook = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise ParseError("It is not valid JSON.") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict):
        sheets = notebook.get("worksheets")
        first = sheets[0] if isinstance(sheets, list) and sheets else None
        cells = first.get("cells") if isinstance(first, dict) else None
    if not isinstance(cells, list):
        raise ParseError("It is JSON, but not a notebook.")
    return cells


def _blocks(cells: list[object], limits: Limits) -> Iterator[Block]:
    outline = Outline()
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            continue
        for block in _cell(cell, outline, limits):
            yield replace(block, page=number, lines=None)


def _cell(cell: dict[str, object], outline: Outline, limits: Limits) -> Iterator[Block]:
    lines = _lines(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    if kind == "markdown":
        yield from markdown.blocks(lines, limits, outline=outline)
    elif kind == "heading":
        level = cell.get("level")
        title = " ".join(lines).strip()
        if title:
            path = outline.enter(level if isinstance(level, int) else 1, title)
            yield Block(title, "heading", path)
    else:
        yield from solid(lines, 1, "code" if kind == "code" else "paragraph", outline.path)
        yield from solid(_outputs(cell.get("outputs")), 1, "code", outline.path)


def _outputs(outputs: object) -> list[str]:
    """The text that a cell printed or returned, cut to a readable length."""
    parts: list[str] = []
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict):
            data = output.get("data")
            shown = data.get("text/plain") if isinstance(data, dict) else None
            parts += _lines(output.get("text") or shown or output.get("evalue"))
    text = "\n".join(parts)
    if len(text) > _LONGEST_OUTPUT:
        text = text[:_LONGEST_OUTPUT].rstrip() + " …"
    return text.split("\n")


def _lines(source: object) -> list[str]:
    """A multi-line string of the notebook format: one string, or a list of them."""
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return [line.rstrip() for line in clean(source).split("\n")] if isinstance(source, str) else []

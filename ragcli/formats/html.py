"""HTML: what a reader of the page sees, with heading paths and the source lines it stands on.

A block's text has one line for each source line it spans, white space collapsed; only a table row
is one line of cells. Scripts, styles, comments and hidden elements are dropped. Mail and e-book
readers use `document` and `blocks` for their HTML parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.errors import ParseError
from ragcli.formats.encoding import decode
from ragcli.formats.htmlblocks import Page
from ragcli.formats.limits import Limits, fit
from ragcli.types import Block, Parsed

VERSION = 1

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read an HTML file as one document. Raises ParseError where it shows no text."""
    charset = _CHARSET.search(data[:2048])
    declared = charset[1].decode("ascii", "replace") if charset else None
    parsed = document(decode(data, declared), limits)
    if not parsed.blocks:
        raise ParseError("It shows no text." if data else "It is empty.")
    yield parsed


def document(text: str, limits: Limits, *, heading: tuple[str, ...] = (), first: int = 1) -> Parsed:
    """The blocks and the title of an HTML text; without blocks where it shows nothing.

    `heading` goes in front of every heading path, `first` is the number of the first line.
    """
    page = Page(heading, first)
    found, warnings = fit(page.read(text), limits)
    return Parsed(found, page.title, warnings=warnings)


def blocks(
    text: str, limits: Limits, *, heading: tuple[str, ...] = (), first: int = 1
) -> list[Block]:
    """The blocks of an HTML text, as `document` finds them."""
    return document(text, limits, heading=heading, first=first).blocks

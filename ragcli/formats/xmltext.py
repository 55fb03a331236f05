"""XML without a format of its own (feeds, SVG, DocBook): the text between its tags, line by line.

Internal DTD subsets are refused, since entities defined there could stand for anything; no other
file is ever opened. Lines that hold nothing but tags separate the blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.errors import ParseError
from ragcli.formats import text
from ragcli.formats.htmlblocks import decoded
from ragcli.formats.htmltokens import tokens
from ragcli.formats.limits import Limits
from ragcli.types import Parsed

VERSION = 1

_DTD = re.compile(r"<!DOCTYPE[^>\[]{0,2000}\[|<!ENTITY", re.IGNORECASE)
_UNSHOWN = ("script", "style")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read an XML file as one document. ParseError where it has a DTD of its own, or no text."""
    source, warnings = text.source(data, limits)
    if _DTD.search(source):
        raise ParseError("It has a DTD, which is not read for safety.")
    lines = [" ".join(line.split()) for line in _shown(source).split("\n")]
    blocks = list(text.paragraphs(lines))
    if not blocks:
        raise ParseError("It holds tags and no text.")
    yield Parsed(blocks, warnings=warnings)


def _shown(source: str) -> str:
    """The text with a space for each tag, every word on the line that it has in the source."""
    parts: list[str] = []
    unshown = ""
    here = there = at = 0
    for token in tokens(source, xml=True):
        there += source.count("\n", at, token.at)
        at = token.at
        if token.kind == "start" and token.value in _UNSHOWN:
            unshown = token.value
        elif token.kind == "end" and token.value == unshown:
            unshown = ""
        if token.kind != "text":
            parts.append(" ")
        elif not unshown:
            parts.append("\n" * (there - here) + decoded(token.value))
            here = there + token.value.count("\n")
    return "".join(parts)

"""YAML as text: the source itself in pieces with lines, each under the keys that lead to it.

Read by indentation, line by line. No YAML parser runs: no tag, alias or merge key does anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.formats import text
from ragcli.formats.limits import Limits
from ragcli.formats.pieces import Pieces
from ragcli.types import Block, Parsed

VERSION = 1

_KEY = re.compile(r"((?: |- )*+)([^\s#\-:][^:#]{0,200}?|-[^\s:#]{1,200}+):(?=\s|$)")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a YAML file as one document. Raises ParseError where it holds no text."""
    source, warnings = text.source(data, limits)
    yield Parsed(list(_blocks(source)), warnings=warnings)


def _blocks(source: str) -> Iterator[Block]:
    pieces = Pieces(source)
    open_keys: list[tuple[int, str]] = []
    at = 0
    for line in source.split("\n"):
        found = _KEY.match(line)
        if found:
            indent = len(found[1])
            while open_keys and open_keys[-1][0] >= indent:
                open_keys.pop()
            around: list[str | None] = [key for _, key in open_keys[:8]]
            yield from pieces.may_cut(at, len(open_keys) + 1, around)
            open_keys.append((indent, found[2].strip("\"'")))
        at += len(line) + 1
    yield from pieces.cut(len(source))

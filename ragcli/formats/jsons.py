"""JSON as text: the source itself in pieces with lines, each under the keys that lead to it.

Nothing is built from the data, so numbers of any length, NaN, comments and duplicate keys do no
harm; `\\uXXXX` escapes of letters are resolved, as words are searched for in their own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.errors import ParseError
from ragcli.formats import text
from ragcli.formats.limits import Limits
from ragcli.formats.pieces import Pieces
from ragcli.types import Block, Parsed

VERSION = 1

_DEEPEST = 500
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]', re.DOTALL)
_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\.")
_WORD = re.compile(r"\w")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a JSON file as one document. ParseError if it holds no words or is nested too deeply."""
    source, warnings = text.source(data, limits)
    if not _WORD.search(source):
        raise ParseError("It holds no text.")
    yield Parsed(list(_blocks(_ESCAPE.sub(_letters, source))), warnings=warnings)


def _blocks(source: str) -> Iterator[Block]:
    pieces = Pieces(source)
    path: list[str | None] = []
    last = ""
    for token in _TOKEN.finditer(source):
        mark = token[0]
        if mark in ("{", "["):
            path.append(None)
            if len(path) > _DEEPEST:
                raise ParseError(f"It is nested deeper than {_DEEPEST} levels.")
        elif mark in ("}", "]") and path:
            path.pop()
        elif mark == ":" and path:
            path[-1] = last
        elif mark == ",":
            if path:
                path[-1] = None
            yield from pieces.may_cut(token.end(), len(path), path)
        elif mark[0] == '"':
            last = mark[1:-1]
    yield from pieces.cut(len(source))


def _letters(escapes: re.Match[str]) -> str:
    """The letters that `\\uXXXX` escapes stand for; quotes, controls and half pairs stay escaped."""
    if not escapes[0].startswith("\\u"):
        return escapes[0]
    units = [int(unit, 16) for unit in escapes[0].split("\\u")[1:]]
    if any(unit < 0xA0 or unit in (0x2028, 0x2029) for unit in units):
        return escapes[0]
    wide = b"".join(unit.to_bytes(2, "big") for unit in units)
    try:
        return wide.decode("utf-16-be")
    except UnicodeDecodeError:
        return escapes[0]

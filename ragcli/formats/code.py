"""Source code: runs of lines between blank lines, word for word, under the names that enclose them.

The enclosing class and function are found by declaration keywords and indentation, in one pass for
all languages; where a language has none of the keywords, there are no headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.formats import text
from ragcli.formats.limits import Limits
from ragcli.formats.sniff import suffix_of
from ragcli.types import Block, Parsed

VERSION = 1

_KEYWORDS = {
    ".py .pyi": "def class",
    ".js .jsx .mjs .cjs .ts .tsx .vue .svelte": "function class interface enum namespace",
    ".java .groovy": "class interface enum record",
    ".kt .kts .scala .swift .dart": "class interface enum object trait struct protocol extension fun func def",
    ".cs": "class interface enum record struct namespace",
    ".go": "func type",
    ".rs": "fn struct enum trait mod impl",
    ".c .h .cc .cpp .cxx .hh .hpp .m": "struct class enum union namespace",
    ".rb": "def class module",
    ".php": "function class interface trait",
    ".lua .sh .bash .zsh": "function",
    ".jl": "function struct module",
    ".pl .pm": "sub package",
    ".ex .exs": "def defp defmodule",
}
_MODIFIERS = (
    "export default pub public private protected internal static final abstract async unsafe const open"
    " override sealed data inline virtual local declare typedef"
)
_LONGEST_RUN = 3000
_NO_END = ("{", "#", ")", "]")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a source file as one document. Raises ParseError where it holds no text."""
    source, warnings = text.source(data, limits)
    yield Parsed(
        list(_blocks(source.split("\n"), _declaration(suffix_of(name)))), warnings=warnings
    )


def _declaration(suffix: str) -> re.Pattern[str] | None:
    """What a line looks like that declares a name in the language of a suffix."""
    for suffixes, keywords in _KEYWORDS.items():
        if suffix in suffixes.split():
            modifiers, kinds = "|".join(_MODIFIERS.split()), "|".join(keywords.split())
            return re.compile(
                rf"[ \t]*+(?:(?:{modifiers})\s++)*+(?:pub\([^()]{{0,40}}\)\s++)?"
                rf"(?:{kinds})\b[ *]*+(?:\([^()]{{0,200}}\)\s*+|<[^<>]{{0,200}}>\s*+)?([A-Za-z_$][\w$.:?!]*+)"
            )
    return None


def _blocks(lines: list[str], declaration: re.Pattern[str] | None) -> Iterator[Block]:
    """Blocks of runs of lines; runs under the same names stay together while they are short."""
    start = size = 0
    path: tuple[str, ...] = ()
    for first, last, around in _runs(lines, declaration):
        if around != path or size > _LONGEST_RUN:
            yield from text.solid(lines[start:first], start + 1, "code", path)
            start, size, path = first, 0, around
        size += sum(map(len, lines[first:last]))
    yield from text.solid(lines[start:], start + 1, "code", path)


def _runs(
    lines: list[str], declaration: re.Pattern[str] | None
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Start, end and enclosing names of each run of lines that are not blank."""
    names = _Names(declaration)
    start: int | None = None
    opening: tuple[str, ...] = ()
    declared: tuple[str, ...] | None = None
    for index, line in enumerate([*lines, ""]):
        if line.strip():
            declares = names.read(line)
            if start is None:
                start, opening = index, names.path
            if declares and declared is None:
                declared = names.path
        elif start is not None:
            yield start, index, declared or opening
            start = declared = None


class _Names:
    """The declarations that enclose the line read last, by their indentation."""

    def __init__(self, declaration: re.Pattern[str] | None) -> None:
        self.path: tuple[str, ...] = ()
        self._declaration = declaration
        self._open: list[tuple[int, str]] = []

    def read(self, line: str) -> bool:
        """Take in a line that is not blank; say whether it declares a name."""
        if self._declaration is None:
            return False
        indent = len(line) - len(line.lstrip())
        if not line.startswith(_NO_END, indent):
            while self._open and self._open[-1][0] >= indent:
                self._open.pop()
        found = self._declaration.match(line)
        if found:
            self._open.append((indent, found[1].rstrip(":")[:100]))
        self.path = tuple(name for _, name in self._open)
        return found is not None

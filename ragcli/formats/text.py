"""Plain text: paragraphs between blank lines, each with the lines it stands on, word for word."""

from __future__ import annotations

from collections.abc import Iterator

from ragcli.errors import ParseError
from ragcli.formats.encoding import decode
from ragcli.formats.limits import Limits, cut
from ragcli.types import Block, BlockKind, Parsed

VERSION = 1


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a text file as one document. Raises ParseError where it holds no text."""
    text, warnings = source(data, limits)
    yield Parsed(list(paragraphs(text.split("\n"))), warnings=warnings)


def source(data: bytes, limits: Limits) -> tuple[str, list[str]]:
    """The text of a text file within the limits, and the warnings; ParseError where it is blank."""
    text, warnings = cut(decode(data), limits)
    if not text.strip():
        raise ParseError("It holds no text." if data else "It is empty.")
    return text, warnings


def paragraphs(
    lines: list[str],
    first: int = 1,
    *,
    heading: tuple[str, ...] = (),
    kind: BlockKind = "paragraph",
) -> Iterator[Block]:
    """Blocks of the lines between blank ones; `first` is the line number of `lines[0]`."""
    start: int | None = None
    for index, line in enumerate([*lines, ""]):
        blank = not line.strip()
        if not blank and start is None:
            start = index
        elif blank and start is not None:
            text = "\n".join(lines[start:index])
            yield Block(text, kind, heading, lines=(first + start, first + index - 1))
            start = None


def solid(
    lines: list[str], first: int, kind: BlockKind, heading: tuple[str, ...] = ()
) -> Iterator[Block]:
    """One block of all lines but the blank ones at its ends; none where all of them are blank."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if filled:
        start, end = filled[0], filled[-1]
        text = "\n".join(lines[start : end + 1])
        yield Block(text, kind, heading, lines=(first + start, first + end))

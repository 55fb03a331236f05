"""Cuts a block that is too long at its natural boundaries: sentences, lines, words, characters.

Knows what a cut at each boundary is worth, not which is made; that is `pack`. Every step is linear
in the length of the block, also for one word of megabytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ragcli.documents.sentences import each_sentence
from ragcli.documents.tokens import TokenCounter
from ragcli.types import Block

CHARACTERS_PER_TOKEN = 16
"""A token stands for at most so many characters: some tokenizers make one of any long word."""

BLOCK, PARAGRAPH, LISTED, SENTENCE, LINE, LEAD, WORD, CHARACTER = (
    0,
    0.1,
    0.1,
    0.2,
    0.3,
    0.5,
    0.6,
    0.9,
)
"""The price of a cut, in shares of the ideal length that a chunk may be off to avoid it."""

_WORD = re.compile(r"\S++")
_LINE = re.compile(r"[^\n]*\S[^\n]*+")
_RUN = 32
"""Characters of words, or of one word, that are moved together."""
_WORD_RUN = re.compile(rf"\S(?:[\s\S]{{0,{_RUN - 2}}}\S)?(?!\S)|\S++")
_JOINERS = "\u200d\ufe0e\ufe0f"

_LONGEST_LEAD = 80

Part = tuple[int, int, float]
"""Start and end in the text of a block, and the price of a cut before it."""


@dataclass(slots=True)
class Piece:
    """`block.text[start:end]` with its tokens, the price of a cut before it and the line ends above it.

    `exact` says that the lines of the whole block are those of the source, one for one.
    """

    block: Block
    start: int
    end: int
    cost: int
    price: float = BLOCK
    newlines: int = 0
    exact: bool = False


def whole(blocks: list[Block], counter: TokenCounter, room: int) -> list[Piece]:
    """Every block as one piece, without the white space around it."""
    sizes = sizes_of([block.text for block in blocks], counter, room)
    return [_whole(block, size) for block, size in zip(blocks, sizes, strict=True)]


def _whole(block: Block, cost: int) -> Piece:
    text = block.text
    start = len(text) - len(text.lstrip())
    above = text.count("\n", 0, start)
    exact = block.lines is not None and text.count("\n") == block.lines[1] - block.lines[0]
    return Piece(block, start, len(text.rstrip()), cost, BLOCK, above, exact)


def price(before: Block, after: Block) -> float:
    """The price of a cut between two blocks: high behind what only leads on to the next."""
    text = before.text.rstrip()
    if before.kind == "heading" or text.endswith(":"):
        return LEAD
    if before.kind == after.kind and before.kind in ("item", "row"):
        return LISTED
    # A caption, a file name, a heading that no format told apart: short, and no sentence.
    short = len(text) <= _LONGEST_LEAD and "\n" not in text and text[-1:].isalnum()
    return LEAD if before.kind == "paragraph" and short else BLOCK


def cut(piece: Piece, counter: TokenCounter, room: int, *, always: int = 0) -> list[Piece]:
    """Cut a piece into pieces of at most `room` tokens where characters allow it, coarsest first.

    The first `always` levels of boundaries are cut at also where the piece would fit.
    """
    text = piece.block.text
    parts = [((piece.start, piece.end, piece.price), piece.cost)]
    for number, level in enumerate(_LEVELS[piece.block.kind in ("code", "row")]):
        kept = room if number >= always else -1
        if all(cost <= kept for _, cost in parts):
            break
        parts = _refine(parts, text, level, counter, room, kept)
    return list(_with_lines(piece, parts))


def _refine(
    parts: list[tuple[Part, int]],
    text: str,
    level: Level,
    counter: TokenCounter,
    room: int,
    kept: int,
) -> list[tuple[Part, int]]:
    """Replace each part above `kept` tokens by those that it has at this level of boundaries."""
    finer: list[tuple[Part, int]] = []
    for part, cost in parts:
        if cost <= kept:
            finer.append((part, cost))
            continue
        new = list(level(text, part))
        sizes = sizes_of([text[start:end] for start, end, _ in new], counter, room)
        finer.extend(zip(new, sizes, strict=True))
    return finer


def _with_lines(piece: Piece, parts: list[tuple[Part, int]]) -> Iterator[Piece]:
    newlines, counted = piece.newlines, piece.start
    for (start, end, price), cost in parts:
        newlines += piece.block.text.count("\n", counted, start)
        counted = start
        yield Piece(piece.block, start, end, cost, price, newlines, piece.exact)


def sizes_of(texts: list[str], counter: TokenCounter, room: int) -> list[int]:
    """Tokens of each text, or its share of characters where that is more, then often uncounted."""
    longest = room * CHARACTERS_PER_TOKEN
    counted = iter(counter.estimate([text for text in texts if len(text) <= longest]))
    floors = [-(-len(text) // CHARACTERS_PER_TOKEN) for text in texts]
    return [
        max(floor, next(counted) + counter.joint) if len(text) <= longest else floor
        for text, floor in zip(texts, floors, strict=True)
    ]


def _runs(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, tiny neighbours as one: a text of a million full stops is not a million parts."""
    run: Part | None = None
    for part in parts:
        if run is not None and part[1] - run[0] <= _RUN:
            run = (run[0], part[1], run[2])
            continue
        if run is not None:
            yield run
        run = part
    if run is not None:
        yield run


def _sentences(text: str, part: Part) -> Iterator[Part]:
    base, end, price = part
    last = base
    for start, stop in each_sentence(text, base, end):
        yield start, stop, price if last == base else _gap(text, last, start, SENTENCE)
        last = stop


def _lines(text: str, part: Part) -> Iterator[Part]:
    base, end, price = part
    last = base
    for match in _LINE.finditer(text, base, end):
        start, stop = match.span()
        yield start, stop, price if last == base else _gap(text, last, start, LINE)
        last = stop


def _gap(text: str, last: int, start: int, usual: float) -> float:
    return PARAGRAPH if text.find("\n\n", last, start) >= 0 else usual


def _word_runs(text: str, part: Part) -> Iterator[Part]:
    return _words(text, part, _WORD_RUN)


def _words(text: str, part: Part, pattern: re.Pattern[str] = _WORD) -> Iterator[Part]:
    base, end, price = part
    for match in pattern.finditer(text, base, end):
        yield *match.span(), price
        price = WORD


def _characters(text: str, part: Part, count: int = _RUN // 2) -> Iterator[Part]:
    start, end, price = part
    while start < end:
        stop = min(start + count, end)
        furthest = min(stop + _RUN, end)
        while stop < furthest and _belongs(text, stop):
            stop += 1
        yield start, stop, price
        start, price = stop, CHARACTER


def _letters(text: str, part: Part) -> Iterator[Part]:
    return _characters(text, part, 1)


def _code_points(text: str, part: Part) -> Iterator[Part]:
    start, end, price = part
    for at in range(start, end):
        yield at, at + 1, price
        price = CHARACTER


def _belongs(text: str, at: int) -> bool:
    """Whether the character at `at` is drawn on or joined to the one before it."""
    this = text[at]
    return this in _JOINERS or text[at - 1] == "\u200d" or unicodedata.category(this)[0] == "M"


Level = Callable[[str, Part], Iterable[Part]]


def _in_runs(level: Level) -> Level:
    return lambda text, part: _runs(level(text, part))


_WITHIN_LINES: tuple[Level, ...] = (
    _in_runs(_lines),
    _word_runs,
    _words,
    _characters,
    _letters,
    _code_points,
)
_LEVELS: dict[bool, tuple[Level, ...]] = {
    False: (_in_runs(_sentences), *_WITHIN_LINES),
    True: _WITHIN_LINES,
}
"""The boundaries to cut at, coarsest first, of prose and of what is made of lines."""

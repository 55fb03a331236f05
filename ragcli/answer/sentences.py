"""Cuts the text of a chunk into the units that can be quoted: sentences, list items, rows, code.

A unit is a range of characters of the text, so whatever is quoted is verbatim. In the text of a
chunk a blank line parts blocks, and items and rows stand on lines of their own. Pure functions
over text; which unit answers a question is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ragcli.answer.english import LEANING
from ragcli.documents.sentences import sentences

UnitKind = Literal["sentence", "item", "row", "code"]
Range = tuple[int, int]

LONGEST = 80
"""Words from which a unit without sentence ends is cut at weaker marks."""

MARKER = re.compile(r"\s*(?:[-*+•◦‣▪–]|\(?(?:\d{1,3}|[a-z]|[ivx]{2,4}|[IVX]{2,4})[.)])\s+(?=\S)")
"""What a list item begins with."""
_ROW = re.compile(r"\s*\|.*\||[^|\n]+\|[^|\n]+\||[^\t\n]*\S\t+\S")
_RULE = re.compile(r"[\s|:+=\-_*~^\"'#.]+$")
_KEY = re.compile(r"[^\s:;][^:;\n]{0,60}: ")
_CODE = re.compile(
    r"\s*(?:[$%>] |>>> |\.\.\. |#!|[#/]{2} |import |from \w+ import |def |class |let |const |var |fn |use "
    r"|pub |return\b|if \(|for \(|sudo |pip |npm |git |curl |cd |apt |docker |make |\w+ = |<\w|[{}\])])"
    r"|.*(?:[;{}\\]|\)|\w\(|=>|->)\s*$|.*(?:\w\(\)|\s--?\w|::| = |==|=\")"
)
_FINAL = ".!?…。！？｡:：;,"
_TITLE_WORDS = 12
_NARROW = 45
"""Characters below which no prose is wrapped: narrower lines are verse, addresses or code."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A quotable range of a text, and the units it cannot be understood without.

    `leans_on` is the index, in the same list, of the antecedent of a sentence that begins with a
    pronoun or a connective, of the lead-in of a list item or code, or of the header of a row.
    `leads_in` marks what only announces the unit after it: a heading, a line that ends with a
    colon, a question, the header of a table.
    """

    start: int
    end: int
    kind: UnitKind
    leans_on: int | None = None
    leads_in: bool = False


def units(text: str) -> list[Unit]:
    """The units of `text`, in order; every character that is not layout belongs to exactly one."""
    found: list[Unit] = []
    for kind, ranges in _blocks(text):
        first = len(found)
        for start, end in ranges:
            leans = _leans_on(text, found, first, start, kind)
            found.append(Unit(start, end, kind, leans, _leads_in(text, start, end, ranges, kind)))
    return found


def _leans_on(
    text: str, found: Sequence[Unit], first: int, start: int, kind: UnitKind
) -> int | None:
    before = len(found) - 1
    if kind == "row":
        headed = first <= before and found[first].leads_in
        return first if headed and not _KEY.match(text, start) else None
    if kind == "sentence" and first <= before:
        return before if LEANING.match(text, start) else None
    lead = first - 1
    if lead < 0 or not found[lead].leads_in:
        return None
    return lead if kind != "sentence" or text[found[lead].end - 1] in ":：" else None


def _leads_in(text: str, start: int, end: int, block: Sequence[Range], kind: UnitKind) -> bool:
    last = text[end - 1]
    if kind == "row":
        return len(block) > 1 and start == block[0][0] and not _KEY.match(text, start)
    if kind != "sentence" or last in ":：?？":
        return kind == "sentence"
    alone = len(block) == 1 and "\n" not in text[start:end] and text[end:].strip() != ""
    return alone and last not in _FINAL and len(text[start:end].split()) <= _TITLE_WORDS


def _blocks(text: str) -> Iterator[tuple[UnitKind, list[Range]]]:
    """Runs of lines of one kind, each with the ranges of its units."""
    for lines in _paragraphs(text):
        kind = _kind(text, lines)
        if kind == "item":
            yield kind, [r for item in _items(text, lines) for r in _parts(text, *item)]
        elif kind == "row":
            rows = (_trim(text, *r) for r in lines if not _RULE.match(text[slice(*r)]))
            yield kind, [r for row in rows for r in _cut(text, *row)]
        elif kind == "code":
            yield kind, list(_cut(text, *_trim(text, lines[0][0], lines[-1][1])))
        else:
            yield kind, [r for flow in _flows(text, lines) for r in _sentences(text, *flow)]


def _paragraphs(text: str) -> Iterator[list[Range]]:
    """The lines between blank ones, parted again where a list or a table begins."""
    lines: list[Range] = []
    for line in _lines(text):
        blank = not text[slice(*line)].strip()
        if lines and (blank or _begins(text, lines[-1], line)):
            yield lines
            lines = []
        if not blank:
            lines.append(line)
    if lines:
        yield lines


def _begins(text: str, before: Range, line: Range) -> bool:
    marked, rowed = MARKER.match(text, *line), _ROW.match(text, *line)
    listed = MARKER.match(text, *before) or text[before[0] : before[1]][:1].isspace()
    return bool(marked and not listed and text[before[1] - 1] in ":：") or bool(rowed) != bool(
        _ROW.match(text, *before)
    )


def _kind(text: str, lines: Sequence[Range]) -> UnitKind:
    if MARKER.match(text, *lines[0]):
        return "item"
    if _ROW.match(text, *lines[0]) or _are_records(text, lines):
        return "row"
    if any(text[end - 1] in ".!?。！？" for _, end in lines):
        return "sentence"
    coded = sum(_CODE.match(text, *line) is not None for line in lines)
    narrow = len(lines) > 1 and max(end - start for start, end in lines) < _NARROW
    return "code" if coded * 2 > len(lines) or narrow else "sentence"


def _are_records(text: str, lines: Sequence[Range]) -> bool:
    """Whether lines repeat one key: `name: A; age: 1` over and over, under a header perhaps."""
    keys = [match.group() if (match := _KEY.match(text, *line)) else "" for line in lines]
    return len(lines) > 1 and keys[-1] != "" and all(key == keys[-1] for key in keys[1:])


def _lines(text: str) -> Iterator[Range]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _items(text: str, lines: Sequence[Range]) -> Iterator[Range]:
    """List items: a marked line with the lines that continue it."""
    start = lines[0][0]
    for (_, end), following in zip(lines, [*lines[1:], None], strict=True):
        if following is None or MARKER.match(text, *following):
            yield _trim(text, start, end)
            start = following[0] if following else end


def _flows(text: str, lines: Sequence[Range]) -> Iterator[Range]:
    """Prose between line ends that mean something: wrapped lines flow on, short ones stand alone.

    A line end was chosen, not wrapped, where the next word would still have fitted and does not
    go on in lower case. Where most were chosen (addresses, `key: value` lines) every line stands
    alone.
    """
    width = max(end - start for start, end in lines)
    heads = [text[start:end].split(None, 1)[0] for start, end in lines]
    chosen = [
        end - start + 1 + len(head) <= width and not head[0].islower()
        for (start, end), head in zip(lines, heads[1:], strict=False)
    ]
    if chosen and sum(chosen) * 2 >= len(chosen):
        yield from (_trim(text, *line) for line in lines)
    else:
        yield _trim(text, lines[0][0], lines[-1][1])


def _parts(text: str, start: int, end: int) -> Iterator[Range]:
    """A list item whole, or its sentences where it is as long as a paragraph."""
    if len(text[start:end].split()) * 2 > LONGEST:
        yield from _sentences(text, start, end)
    else:
        yield start, end


def _sentences(text: str, start: int, end: int) -> Iterator[Range]:
    # One line: where these lines end is known to mean nothing.
    for first, last in sentences(text[start:end].replace("\n", " ")):
        yield from _cut(text, start + first, start + last)


def _cut(text: str, start: int, end: int) -> Iterator[Range]:
    """The range itself, or pieces of it where it is too long to be a quote."""
    words = [match.span() for match in re.finditer(r"\S+", text[start:end])]
    while len(words) > LONGEST:
        weak = [n for n, (_, last) in enumerate(words[:LONGEST]) if text[start + last - 1] in ";:|"]
        at = weak[-1] + 1 if weak and weak[-1] > LONGEST // 4 else LONGEST // 2
        yield start + words[0][0], start + words[at - 1][1]
        words = words[at:]
    if words:
        yield start + words[0][0], start + words[-1][1]


def _trim(text: str, start: int, end: int) -> Range:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())

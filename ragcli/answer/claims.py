"""Cuts what a model writes into sentences with the passages that each cites. Pure functions over text.

`settled` tells which part of a text that is still being written can no longer be cut otherwise;
whatever pieces a text arrives in, the sentences are those of the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ragcli.answer.sentences import MARKER as ITEM
from ragcli.documents.sentences import sentences

_NUMBERS = r"\d{1,3}(?:\s?(?:,|;|-|–|and|&)\s?\d{1,3})*"
CITED = re.compile(
    rf"\s*(?:\[\s?(?:passages?\s)?{_NUMBERS}\s?\]|【\s?{_NUMBERS}\s?】|\(passages?\s{_NUMBERS}\))",
    re.IGNORECASE,
)
"""A marker such as `[1]`, `[1, 2]` or `(passage 3)`, with the space before it."""
_OPEN = re.compile(r"\s*[\[【(][^\])】]{0,40}$")
_RANGE = re.compile(r"(\d+)\s?[-–]\s?(\d+)")
_RUN = re.compile(rf"(?:{CITED.pattern})+[.,;]?", re.IGNORECASE)
_LAST = re.compile(rf"(?:{CITED.pattern})+[.,;]?\s*$", re.IGNORECASE)
"""Markers at the end: to which sentence they belong depends on what comes."""
_ENDED = ".!?…。！？)”\"'"
_WHOLE_WORD = re.compile(r"(?s)(.*(?:[\s\u3001-\u9fff\uac00-\ud7af\uff01-\uff60]))")
_EMPHASIS = re.compile(
    r"(?<![\w*])[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?![\w*])|^#{1,6}\s", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence as a reader takes it: on one line, without markers; and the numbers that it cites."""

    said: str
    cited: tuple[int, ...]


def spans(text: str) -> list[tuple[int, int]]:
    """The sentences of an answer, each with the markers that stand behind its full stop."""
    found: list[tuple[int, int]] = []
    for start, end in sentences(text):
        behind = _RUN.match(text, start, end) if found else None
        if behind and _belongs_to_the_last(text, found[-1], start, behind.end()):
            found[-1] = (found[-1][0], behind.end())
            start = (
                behind.end()
                + len(text[behind.end() : end])
                - len(text[behind.end() : end].lstrip())
            )
        if start < end:
            found.append((start, end))
    return found


def settled(text: str) -> int:
    """How many characters, from the beginning, more text cannot change the cutting of."""
    match = _WHOLE_WORD.match(text)
    whole = match[1] if match else ""
    opened = _OPEN.search(whole) or _LAST.search(whole)
    return opened.start() if opened else len(whole)


def read(sentence: str) -> Claim:
    """What a sentence says and cites."""
    numbers = [number for match in CITED.finditer(sentence) for number in cited(match[0])]
    said = ITEM.sub("", _EMPHASIS.sub("", CITED.sub("", sentence)).strip(), count=1)
    return Claim(" ".join(said.split()), tuple(dict.fromkeys(numbers)))


def cited(marker: str) -> Iterator[int]:
    """The numbers of one marker; `2-4` is three of them."""
    ends = {int(a): int(b) for a, b in _RANGE.findall(marker)}
    for number in map(int, re.findall(r"\d+", marker)):
        yield number
        if number in ends:
            yield from range(number + 1, min(ends[number], number + 20))


def _belongs_to_the_last(text: str, last: tuple[int, int], start: int, end: int) -> bool:
    between = text[last[1] : start]
    following = text[end:].lstrip()[:1]
    return text[last[1] - 1] in _ENDED and "\n" not in between and not following.islower()

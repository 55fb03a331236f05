"""Where sentences begin and end, in any script, by punctuation alone and in linear time.

Knows no language model. A sentence ends at a full stop that is followed by space (or at a CJK
one, which needs none), at a blank line and before a list marker; not after an abbreviation, an
initial, or inside a number. In doubt two sentences stay together: half a quote is worse than two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.documents.abbreviations import ALWAYS, BEFORE_NUMBER, MONTHS, STARTERS, USUALLY

# Possessive runs that cannot start inside one another: linear on any input.
_BOUNDARY = re.compile(
    r"""(?P<stop>(?<![.!?…])[.!?…]++)["'”’»›)\]}*_]*+(?=\s)
      | (?<![。！？｡।॥۔؟።])[。！？｡।॥۔؟።]++[”’」』）】》〉"')\]]*+
      | (?P<line>\n(?=[^\S\n]*+\n|[^\S\n]*+(?:[-*+•‣▪◦]|\d{1,3}[.)]|[a-z]\))[^\S\n]|\|))
      | (?P<page>[\f\u2029])""",
    re.VERBOSE,
)
_NEXT_WORD = re.compile(r"\s++[\"'“‘«‹(\[{*_¿¡]*+(\w*+)")
_ACRONYM = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«‹/–—]*$")
_LONGEST_ABBREVIATION = 24
_LAYOUT = " \t\n|*#>-+"


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of `text` as (start, end) offsets, in order, without the space around them.

    Everything that is not white space lies in exactly one sentence.
    """
    return list(each_sentence(text, 0, len(text)))


def each_sentence(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of `text[start:end]` one by one, as offsets into `text`."""
    for match in _BOUNDARY.finditer(text, start, end):
        stop = match["stop"]
        if stop is None or _ends(text, start, match.start(), match.end(), stop):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    stripped = piece.lstrip()
    if stripped:
        begin = end - len(stripped)
        yield begin, begin + len(stripped.rstrip())


def _ends(text: str, start: int, dot: int, after: int, stop: str) -> bool:
    """Whether the full stop at `dot` ends the sentence that began at `start`."""
    follow = _NEXT_WORD.match(text, after)
    following = follow[1] if follow else ""
    if following[:1].islower():
        return False
    if stop != ".":
        return True
    # A word longer than the window is no abbreviation, so cutting it changes nothing.
    window = max(start, dot - _LONGEST_ABBREVIATION)
    found = _LAST_WORD.search(text, window, dot)
    word = found[0] if found else ""
    if word.isdecimal():
        return not _is_numbering(text, start, dot - len(word), word, following)
    return not _abbreviates(word, following)


def _is_numbering(text: str, start: int, at: int, number: str, following: str) -> bool:
    """`1. Install` at the start of a sentence, or a date such as `3. Mai`."""
    opens = not text[start:at].strip(_LAYOUT) if at - start <= _LONGEST_ABBREVIATION else False
    return opens or (len(number) <= 2 and following.casefold() in MONTHS)


def _abbreviates(word: str, following: str) -> bool:
    plain = word.casefold()
    if plain in ALWAYS:
        return True
    if plain in BEFORE_NUMBER and not word.isupper():
        return following[:1].isdecimal()
    if plain in USUALLY or (_ACRONYM.fullmatch(word) and plain not in ("i", "я")):
        return following.casefold() not in STARTERS
    return False

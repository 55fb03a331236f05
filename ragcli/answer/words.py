"""The words of questions and sentences: stems, names, numbers, and what a question asks for.

Knows the function words and endings of English (see english.py); other languages keep their words
whole, and scripts written without spaces are read as pairs of characters. No model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ragcli.answer.english import (
    DATE,
    DURATION,
    ENDINGS,
    FOCUS,
    IRREGULAR,
    MANNER,
    NUMBER_WORDS,
    PLACE,
    QUESTIONS,
    REASON,
    STOP,
    Asks,
)
from ragcli.index.analysis import SPACELESS, fold

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*", re.UNICODE)
_UNSPACED = re.compile(f"[{SPACELESS}]")


_SIGNS: dict[Asks, re.Pattern[str]] = {
    "date": DATE,
    "duration": DURATION,
    "place": PLACE,
    "reason": REASON,
    "manner": MANNER,
}


@dataclass(frozen=True, slots=True)
class Words:
    """The content words of a text in order, as stems, and which of them are names or numbers."""

    stems: tuple[str, ...]
    names: frozenset[str]
    numbers: frozenset[str]
    count: int
    """All words, function words too."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its words, what it asks for, and the noun after its `what` or `which`."""

    text: str
    words: Words
    asks: Asks
    focus: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    spoken: tuple[tuple[str, str], ...]
    """The content words as they were written, each with its stem."""


def question(text: str) -> Question:
    """Read a question, an instruction or keywords."""
    words = read(text)
    asks: Asks = next((name for name, pattern in QUESTIONS if pattern.search(text)), "other")
    match = FOCUS.search(text)
    focus = frozenset(read(match.group(1)).stems[:1]) if match else frozenset()
    content = frozenset(words.stems)
    spoken = tuple((word, stem(word)) for word, _ in _tokens(text) if stem(word) in content)
    return Question(text, words, asks, focus, pairs(words), spoken)


def read(text: str) -> Words:
    """The content words of a text; a text of function words alone keeps them."""
    stems: list[str] = []
    names: set[str] = set()
    numbers: set[str] = set()
    every: list[str] = []
    opening = True
    for token, begins in _tokens(text):
        term = stem(token)
        every.append(term)
        if term in STOP or token.casefold() in STOP:
            opening = False
            continue
        stems.append(term)
        if token[0].isdigit() or token.lower() in NUMBER_WORDS:
            numbers.add(term)
        elif (token[0].isupper() and not (opening or begins)) or token[1:].lower() != token[1:]:
            names.add(term)
        opening = False
    return Words(tuple(stems or every), frozenset(names), frozenset(numbers), len(every))


def pairs(words: Words) -> frozenset[tuple[str, str]]:
    """Neighbouring content words, in order."""
    return frozenset(zip(words.stems, words.stems[1:], strict=False))


def offers(asks: Asks, text: str, fresh: Words) -> float | None:
    """Whether a text holds the sort of thing asked for; None where that cannot be seen.

    `fresh` are the words of the text that the question did not already have.
    """
    sign = _SIGNS.get(asks)
    if sign is not None and sign.search(text) is None:
        return 0.0
    if asks in ("person", "place"):
        return float(bool(fresh.names))
    if asks in ("date", "duration", "number"):
        return float(bool(fresh.numbers))
    return None if sign is None else 1.0


@lru_cache(maxsize=65536)
def stem(token: str) -> str:
    """A word without case, accents and common English endings."""
    word = fold(unicodedata.normalize("NFKC", token).replace("’", "'")).removesuffix("'s")
    word = IRREGULAR.get(word, word)
    if not word.isascii() or len(word) < 4 or word[0].isdigit():
        return word
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sleo":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words with whether each begins a sentence; unspaced scripts as overlapping pairs."""
    for match in _TOKEN.finditer(text):
        token = match.group()
        start = match.start()
        before = text[max(start - 6, 0) : start].rstrip(" \"'“(*_`")[-1:]
        if _UNSPACED.search(token):
            yield from ((token[n : n + 2], False) for n in range(max(len(token) - 1, 1)))
        else:
            yield token, before in ".!?:\n"

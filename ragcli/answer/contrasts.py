"""Small words that turn a sentence into another: negations, opposites, lengths of time. English only."""

from __future__ import annotations

import re
from collections.abc import Set

from ragcli.answer.words import read, stem

REACH = 60
"""Characters behind a negation within which stands what it denies."""
_SPELL = re.compile(
    r"\b(second|minute|hour|day|week|month|year|decade|centur|hourly|daily|weekly|monthly|yearly|annual)"
    r"(?:s|ly|y|ies)?\b"
)
_SPELLS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year",
    "annual": "year",
}  # fmt: skip
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|nobody|nothing|fail(?:s|ed)?|lacks?|lacked"
    r"|refused?|unable|hardly)\b|n['’]t\b",
    re.IGNORECASE,
)
_OPPOSITES_TEXT = (
    "earlier later, longer shorter, increase decrease, more less, more fewer, before after, "
    "first last, high low, higher lower, "
    "largest smallest, best worst, win lose, north south, east west, early late, oldest youngest, "
    "most least, above below, allow forbid, accept reject, rise fall, major minor, maximum minimum, "
    "begin end, start stop, open close, enable disable, import export, buy sell, include exclude, "
    "old new, left right, male female, always never, rose fell, increased decreased, began ended, "
    "started finished, won lost, northern southern, eastern western, oldest newest, greater smaller, "
    "faster slower, stronger weaker, public private, day week, week month, month year, day month, "
    "inside outside, upper lower, highest lowest, better worse, hot cold, public secret"
)
_OPPOSITES = [frozenset(stem(word) for word in pair.split()) for pair in _OPPOSITES_TEXT.split(",")]


def negates(text: str) -> bool:
    """Whether a text denies something."""
    return _NEGATION.search(text) is not None


def denied(text: str, terms: Set[str]) -> bool:
    """Whether a text denies one of the words (given as stems): a negation with nothing else between."""
    for match in _NEGATION.finditer(text):
        following = read(text[match.end() : match.end() + REACH]).stems
        if any(term in terms for term in following[:1]):
            return True
    return False


def opposed(mine: Set[str], theirs: Set[str]) -> bool:
    """Whether one has a word (as its stem) and the other its opposite alone."""
    return any(
        len(pair & mine) == 1 and len(pair & theirs) == 1 and not pair & mine & theirs
        for pair in _OPPOSITES
    )


def spells(text: str) -> frozenset[str]:
    """The lengths of time that a text speaks of: `weekly` and `every week` alike."""
    return frozenset(_SPELLS.get(found, found) for found in _SPELL.findall(text.lower()))

"""Collapses hits that say the same, so that top-k is filled with different texts. Pure functions.

Two texts are the same when they differ in spaces and case alone, or when the resemblance of their
word shingles (Broder, "On the resemblance and containment of documents", 1997) reaches a threshold
and both have the same numbers, comparisons and negations in the same order: last year's figures
are no duplicate of this year's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

SHINGLE = 3
_WORD = re.compile(r"\w+")
_FACT = re.compile(
    r"\d+|[<>=≠≤≥]|\+\+|n['’]t\b"
    r"|\b(?:no|not|nor|never|none|nothing|without|neither|cannot|nicht|nie|kein\w*|pas|jamais|sans)\b"
)


@dataclass(slots=True)
class Group:
    """The position of the text that stands for the group, and of those that it stands for."""

    first: int
    copies: list[int] = field(default_factory=list)


Shingles = frozenset[tuple[str, ...]]


def collapse(texts: Sequence[str], threshold: float, wanted: int | None = None) -> list[Group]:
    """Group texts given best first; each group is led by its best, groups keep that order.

    `threshold` is the resemblance (0 to 1) from which two texts count as the same; at 1 only
    texts that are equal but for spaces and case do. A text joins the first group whose leader it
    resembles. Behind the first `wanted` groups equal texts alone are brought together: what lies
    there is not shown, and comparing takes time.
    """
    groups: list[Group] = []
    by_text: dict[str, int] = {}
    leaders = _Leaders(threshold)
    for position, text in enumerate(texts):
        said = " ".join(text.casefold().split())
        found = by_text.get(said)
        if found is None and threshold < 1:
            found = leaders.match(said, join=wanted is None or len(groups) < wanted)
        if found is not None:
            groups[found].copies.append(position)
        else:
            by_text[said] = len(groups)
            groups.append(Group(position))
    return groups


def resemblance(left: str, right: str) -> float:
    """The Jaccard coefficient, 0 to 1, of the word shingles of two texts."""
    a, b = (" ".join(text.casefold().split()) for text in (left, right))
    first, second = _shingles(a), _shingles(b)
    return 1.0 if a == b else _jaccard(len(first), len(second), len(first & second))


class _Leaders:
    """The texts that lead the first groups, found by the shingles that they share with a text."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._texts: list[tuple[str, int]] = []
        self._by_shingle: dict[tuple[str, ...], list[int]] = {}

    def match(self, said: str, *, join: bool) -> int | None:
        """The first leader that a text resembles; where there is none and it may `join`, it leads."""
        shingles = _shingles(said)
        shared = Counter(
            leader
            for shingle in self._by_shingle.keys() & shingles
            for leader in self._by_shingle[shingle]
        )
        for leader in sorted(shared):
            text, size = self._texts[leader]
            near = _jaccard(size, len(shingles), shared[leader]) >= self._threshold
            if near and _FACT.findall(text) == _FACT.findall(said):
                return leader
        if join:
            for shingle in shingles:
                self._by_shingle.setdefault(shingle, []).append(len(self._texts))
            self._texts.append((said, len(shingles)))
        return None


def _jaccard(left: int, right: int, shared: int) -> float:
    union = left + right - shared
    return shared / union if union else 0.0


def _shingles(said: str) -> Shingles:
    words = _WORD.findall(said)
    return frozenset(zip(*(words[at:] for at in range(SHINGLE)), strict=False))

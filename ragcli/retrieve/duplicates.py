"""Collapses hits that say the same, so that top-k is filled with different texts. Pure functions.

Two texts are the same when they differ in spaces and case alone, or when the resemblance of their
word shingles (Broder, "On the resemblance and containment of documents", 1997) reaches a threshold
and both have the same numbers, comparisons and negations in the same order: last year's figures
are no duplicate of this year's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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


@dataclass(frozen=True, slots=True)
class _Trace:
    said: str
    facts: tuple[str, ...]
    shingles: frozenset[int]


def collapse(texts: Sequence[str], threshold: float) -> list[Group]:
    """Group texts given best first; each group is led by its best, groups keep that order.

    `threshold` is the resemblance (0 to 1) from which two texts count as the same; at 1 only
    texts that are equal but for spaces and case do. A text joins the first group whose leader it
    resembles. Time is linear in the words and in the groups that share shingles.
    """
    groups: list[Group] = []
    leaders: list[_Trace] = []
    by_said: dict[str, int] = {}
    by_shingle: dict[int, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        trace = _trace(text)
        found = by_said.get(trace.said)
        if found is None and threshold < 1:
            found = _resembling(trace, leaders, by_shingle, threshold)
        if found is not None:
            groups[found].copies.append(position)
            continue
        by_said[trace.said] = len(groups)
        for shingle in trace.shingles:
            by_shingle[shingle].append(len(groups))
        leaders.append(trace)
        groups.append(Group(position))
    return groups


def resemblance(left: str, right: str) -> float:
    """The Jaccard coefficient, 0 to 1, of the word shingles of two texts."""
    a, b = _trace(left), _trace(right)
    return 1.0 if a.said == b.said else _jaccard(a, b, len(a.shingles & b.shingles))


def _resembling(
    trace: _Trace,
    leaders: Sequence[_Trace],
    by_shingle: dict[int, list[int]],
    threshold: float,
) -> int | None:
    shared = Counter(group for shingle in trace.shingles for group in by_shingle.get(shingle, ()))
    for group in sorted(shared):
        leader = leaders[group]
        if leader.facts == trace.facts and _jaccard(leader, trace, shared[group]) >= threshold:
            return group
    return None


def _jaccard(left: _Trace, right: _Trace, shared: int) -> float:
    union = len(left.shingles) + len(right.shingles) - shared
    return shared / union if union else 0.0


def _trace(text: str) -> _Trace:
    said = " ".join(text.casefold().split())
    words = _WORD.findall(said)
    shingles = (hash(tuple(words[at : at + SHINGLE])) for at in range(len(words) - SHINGLE + 1))
    return _Trace(said, tuple(_FACT.findall(said)), frozenset(shingles))

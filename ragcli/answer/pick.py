"""Which candidates are quoted: the best, those nearly as good, and what they need to be understood.

Pure functions over candidates and their scores; how the scores come about is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ragcli.answer.candidates import Candidate
from ragcli.answer.citations import Quote
from ragcli.answer.sentences import UnitKind
from ragcli.answer.words import Question
from ragcli.retrieve.duplicates import collapse
from ragcli.types import Hit

SHORT = 25
"""Words below which being shorter is no merit."""
SAME = 0.6
"""Resemblance from which two candidates say the same."""
LED = 60
"""Words of a list, table or code that are quoted along with the line that announces them."""
BETWEEN = 30
"""Words between two pieces of one hit that are quoted too, rather than citing it twice."""


def pick(
    found: Sequence[Candidate], odds: Sequence[float], *, worth: float, most: int
) -> list[int]:
    """The best candidate, and up to `most` in all that are worth their length.

    A candidate's share of the odds of all is the probability that it is the one that answers,
    if any does; a further one is worth quoting from `worth` of it per word. Best first, equal
    ones in the order of the hits; of candidates that say the same only one.
    """
    best = max(odds)
    weights = [math.exp(value - best) for value in odds]
    total = sum(weights)
    chosen: list[int] = []
    for n in sorted(range(len(found)), key=lambda n: (-odds[n], n)):
        value = weights[n] / total / max(found[n].words.count, SHORT)
        if chosen and (len(chosen) == most or value < worth):
            break
        if not any(_same(found[n].text, found[other].text) for other in chosen):
            chosen.append(n)
    return chosen


def quotes(
    asked: Question,
    hits: Sequence[Hit],
    found: Sequence[Candidate],
    chosen: Sequence[int],
) -> list[Quote]:
    """The chosen candidates with their context, as ranges in the order to be read.

    The hit of the best candidate comes first; within a hit the order is that of its text.
    """
    wanted = {part for n in chosen for part in (n, *_context(asked, found, n))}
    order = list(dict.fromkeys(found[n].hit for n in chosen))
    return [
        quote
        for hit in order
        for quote in _joined(
            hits[hit].chunk.text, found, sorted(n for n in wanted if found[n].hit == hit)
        )
    ]


def _context(asked: Question, found: Sequence[Candidate], n: int) -> list[int]:
    one = found[n]
    needed = []
    if one.leans_on is not None and _adds(asked, one, found[one.leans_on]):
        needed.append(one.leans_on)
    if one.unit.leads_in:
        needed += _led(found, n)
    return needed


def _adds(asked: Question, one: Candidate, antecedent: Candidate) -> bool:
    """Whether the antecedent says something of the question; lead-ins and headers always belong."""
    if one.unit.kind != "sentence" or antecedent.unit.leads_in:
        return True
    if asked.asks in ("person", "place") and not one.words.names:
        return True
    terms = set(asked.words.stems) - set(one.words.stems)
    return bool(terms & set(antecedent.words.stems))


def _led(found: Sequence[Candidate], n: int) -> Iterable[int]:
    """What candidate `n` announces: the next sentence, or as much as fits of the list after it."""
    words = 0
    for following in range(n + 1, len(found)):
        one = found[following]
        words += one.words.count
        led = one.leans_on == n or following == n + 1
        if one.hit != found[n].hit or not led or (words > LED and following > n + 1):
            return
        yield following


def _joined(text: str, found: Sequence[Candidate], parts: Sequence[int]) -> Iterable[Quote]:
    """Neighbouring parts of one hit become one quote."""
    run: list[int] = []
    for n in parts:
        if run and _apart(text, found, run[-1], n):
            yield _quote(found, run)
            run = []
        run.append(n)
    if run:
        yield _quote(found, run)


def _apart(text: str, found: Sequence[Candidate], before: int, after: int) -> bool:
    if after == before + 1:
        return False
    belongs = found[after].leans_on == before
    between = text[found[before].unit.end : found[after].unit.start]
    return not belongs or len(between.split()) > BETWEEN


def _quote(found: Sequence[Candidate], run: Sequence[int]) -> Quote:
    units = [found[n].unit for n in run]
    kinds: list[UnitKind] = [unit.kind for unit in units if unit.kind != "sentence"]
    kind = kinds[0] if kinds else "sentence"
    return Quote(found[run[0]].hit, units[0].start, units[-1].end, kind)


def _same(left: str, right: str) -> bool:
    return len(collapse([left, right], SAME)) == 1

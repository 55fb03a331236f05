"""What can be seen of a claim beside the passages it cites: shares, flags and logarithms.

Which of them matter is learned (see support.json); nothing is decided here. The claim's words are
looked for in one unit, in two and in the whole passage; the words around each figure and name where
that stands (`anchors`); and with an embedder, all of it by meaning too (`likeness`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.answer.anchors import Anchors
from ragcli.answer.contrasts import denied, negates, opposed, spells
from ragcli.answer.evidence import Evidence, Piece, alike
from ragcli.answer.facts import figures, given, names
from ragcli.answer.likeness import LIKENESS, likeness
from ragcli.answer.terms import Terms
from ragcli.answer.words import stem

GAIN = 0.1
"""Share of a claim that a second unit must add to be relied on too."""
WORDING = (
    "covered", "covered_by_two", "covered_by_passage", "missing", "missing_in_passage",
    "heaviest_missing", "fresh_covered", "fresh_covered_by_passage", "fresh", "in_order", "pairs",
    "names_missing", "names_missing_in_passage", "figures_missing", "figures_missing_in_passage",
    "weak_figures_missing", "anchored", "anchored_least", "anchored_near", "anchored_near_least",
    "anchored_to_question",
    "asked_covered", "better_elsewhere", "fresh_better_elsewhere", "length", "facts", "cited",
    "negation", "denied", "opposed", "spells_missing", "second_needed", "from_question",
)  # fmt: skip
WITH_VECTORS = (*LIKENESS, *WORDING)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a claim: a row of features, the units it rests on, and facts that are nowhere."""

    row: list[float]
    rests_on: list[Piece]
    beside: list[Piece]
    """Of each cited passage that it does not rest on, the unit that comes nearest."""
    missing_figures: list[str]
    missing_names: list[str]
    elsewhere: int | None
    """The passage beyond those looked at that covers the claim better, if one does."""


def look(evidence: Evidence, said: str, cited: Sequence[int]) -> Sight:
    """What is seen of a claim beside the passages `cited` (positions), or all where there are none."""
    return _Look(evidence, said, cited).sight()


class _Look:
    """One claim beside the passages."""

    def __init__(self, evidence: Evidence, said: str, cited: Sequence[int]) -> None:
        self.all = evidence
        self.said = said
        self.cited = cited
        looked = set(cited) if cited else set(range(len(evidence.hits)))
        self.pieces = [piece for piece in evidence.pieces if piece.one.hit in looked]
        self.others = [piece for piece in evidence.pieces if piece.one.hit not in looked]
        titles = frozenset().union(*(evidence.titles[at] for at in looked))
        self.terms = Terms(evidence, said, titles)
        self.figures = figures(said)
        self.names = names(said, evidence.known)
        self.title_figures = [f for at in looked for f in evidence.title_figures[at]]

    def sight(self) -> Sight:
        chosen = self._choose(self.pieces)
        window = self.terms.held_by(chosen)
        whole = self.terms.held_by(self.pieces)
        firm = [f for f in self.figures if not f.weak]
        here = [f for piece in chosen for f in piece.figures] + self.title_figures
        anywhere = [f for piece in self.pieces for f in piece.figures] + self.title_figures
        lost = [f for f in firm if not given(f, anywhere)]
        lost_names = [name for name in self.names if not self._named(name, whole)]
        anchors = Anchors(self.all, self.terms, self.said, self.figures, self.names, self.pieces)
        elsewhere, better = self._elsewhere(self.terms.share(self.terms.weights, window))
        row = [
            self.terms.share(self.terms.weights, chosen[0].stems | self.terms.titles) if chosen else 0.0,
            self.terms.share(self.terms.weights, window),
            self.terms.share(self.terms.weights, whole),
            math.log1p(sum(not self.terms.has(term, window) for term in self.terms.matches)),
            math.log1p(sum(not self.terms.has(term, whole) for term in self.terms.matches)),
            self.terms.heaviest_missing(whole),
            self.terms.share(self.terms.fresh, window),
            self.terms.share(self.terms.fresh, whole),
            math.log1p(len(self.terms.fresh)),
            self.terms.in_order(chosen),
            self.terms.pairs(chosen),
            math.log1p(sum(not self._named(name, window) for name in self.names)),
            math.log1p(len(lost_names)),
            math.log1p(sum(not given(f, here) for f in firm)),
            math.log1p(len(lost)),
            math.log1p(sum(f.weak and not given(f, here) for f in self.figures)),
            *anchors.around(),
            anchors.behind_question(),
            self._asked_covered(window),
            better,
            self._fresh_elsewhere(window),
            math.log1p(len(self.terms.order)),
            math.log1p(len(firm) + len(self.names)),
            float(bool(self.cited)),
            self._negation(chosen),
            self._denied(chosen),
            self._opposed(chosen),
            math.log1p(len(spells(self.said) - spells(" ".join(p.one.text for p in chosen)))),
            float(len(chosen) > 1),
            self._from_question(),
        ]  # fmt: skip
        return Sight(
            [*self._likeness(chosen), *row] if self.all.compares else row,
            chosen,
            self._nearest_of_the_rest(chosen),
            [f.said for f in lost if not given(f, self.all.asked_figures)],
            [name for name in lost_names if stem(name) not in self.all.asked.words.stems],
            elsewhere,
        )

    def _choose(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The unit that says most of the claim, and a second where it adds enough."""
        if not pieces:
            return []
        facts = {stem(name) for name in self.names}

        def worth(piece: Piece, beside: frozenset[str] = frozenset()) -> float:
            held = piece.stems | self.terms.titles | beside
            told = sum(given(f, piece.figures) for f in self.figures)
            told += len(facts & piece.stems)
            share = told / (len(self.figures) + len(facts)) if self.figures or facts else 0.0
            return self.terms.share(self.terms.weights, held) + 0.5 * share

        best = max(pieces, key=worth)
        base = self.terms.share(self.terms.weights, best.stems | self.terms.titles)
        rest = [piece for piece in pieces if piece is not best]
        if not rest:
            return [best]
        second = max(rest, key=lambda piece: worth(piece, best.stems))
        gain = (
            self.terms.share(self.terms.weights, best.stems | second.stems | self.terms.titles)
            - base
        )
        adds = any(given(f, second.figures) and not given(f, best.figures) for f in self.figures)
        if gain < GAIN and not adds:
            return [best]
        return sorted([best, second], key=lambda piece: (piece.one.hit, piece.one.unit.start))

    def _nearest_of_the_rest(self, chosen: Sequence[Piece]) -> list[Piece]:
        held = {piece.one.hit for piece in chosen}
        return [
            max(units, key=lambda piece: self.terms.share(self.terms.weights, piece.stems))
            for at in dict.fromkeys(self.cited)
            if at not in held and (units := [p for p in self.pieces if p.one.hit == at])
        ]

    def _named(self, name: str, held: frozenset[str]) -> bool:
        term = stem(name)
        if not (self.terms.matches.get(term) or alike(term, self.all.kin)).isdisjoint(held):
            return True
        return name.isupper() and len(name) > 1 and name in self._initials()

    def _initials(self) -> str:
        text = " ".join(piece.one.text for piece in self.pieces)
        return "".join(re.findall(r"\b[A-Z](?=[a-z])|\s[a-z]", text)).replace(" ", "")

    def _asked_covered(self, window: frozenset[str]) -> float:
        terms = set(self.all.asked.words.stems)
        said = set(self.terms.order)
        return len(terms & (window | said)) / len(terms) if terms else 1.0

    def _from_question(self) -> float:
        terms = set(self.all.asked.words.stems)
        return len(terms & set(self.terms.order)) / len(terms) if terms else 0.0

    def _elsewhere(self, covered: float) -> tuple[int | None, float]:
        if not self.others:
            return None, 0.0
        best = max(self.others, key=lambda piece: self.terms.share(self.terms.weights, piece.stems))
        titles = self.all.titles[best.one.hit]
        gain = self.terms.share(self.terms.weights, best.stems | titles) - covered
        return (best.one.hit if gain > 0 else None), gain

    def _fresh_elsewhere(self, window: frozenset[str]) -> float:
        best = max(
            (self.terms.share(self.terms.fresh, piece.stems) for piece in self.others), default=0.0
        )
        return best - self.terms.share(self.terms.fresh, window) if self.others else 0.0

    def _negation(self, chosen: Sequence[Piece]) -> float:
        theirs = any(negates(piece.one.text) for piece in chosen)
        return float(negates(self.said) and not theirs)

    def _denied(self, chosen: Sequence[Piece]) -> float:
        theirs = any(denied(piece.one.text, self.terms.matches.keys()) for piece in chosen)
        return float(theirs and not negates(self.said))

    def _likeness(self, chosen: Sequence[Piece]) -> list[float]:
        return likeness(self.all, self.terms, self.said, chosen, self.pieces, self.others)

    def _opposed(self, chosen: Sequence[Piece]) -> float:
        theirs = frozenset().union(*(piece.stems for piece in chosen))
        return float(opposed(frozenset(self.terms.order), theirs))

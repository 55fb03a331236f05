"""What can be seen of a claim beside the passages it cites: shares, flags and logarithms.

Which of them matter is learned (see support.json); nothing is decided here. The claim's words are
looked for in one unit, in two and in the whole passage; the words around each figure and name where
that figure or name stands; and with an embedder, all of it by meaning too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ragcli.answer.contrasts import negates, opposed, spells
from ragcli.answer.evidence import Evidence, Piece, alike, spoken_words
from ragcli.answer.facts import Figure, figures, names
from ragcli.answer.features import unit_rows
from ragcli.answer.words import read, stem

NEAR = 8
"""Units of the cited passages, and of the others, that are compared by their vectors."""
AROUND = 3
"""Content words on each side of a figure or name that are looked for beside it."""
GAIN = 0.1
"""Share of a claim that a second unit must add to be relied on too."""
WORDING = (
    "covered", "covered_by_two", "covered_by_passage", "missing", "missing_in_passage",
    "heaviest_missing", "fresh_covered", "fresh_covered_by_passage", "fresh", "in_order", "pairs",
    "names_missing", "names_missing_in_passage", "figures_missing", "figures_missing_in_passage",
    "weak_figures_missing", "anchored", "anchored_least", "anchored_near", "anchored_near_least",
    "anchored_to_question",
    "asked_covered", "better_elsewhere", "fresh_better_elsewhere", "length", "facts", "cited",
    "negation", "opposed", "spells_missing", "second_needed", "from_question",
)  # fmt: skip
LIKENESS = (
    "cosine", "cosine_of_two", "cosine_better_elsewhere", "cosine_best", "cosine_asked",
    "covered_in_sense", "fresh_covered_in_sense", "least_in_sense",
)  # fmt: skip
WITH_VECTORS = (*LIKENESS, *WORDING)
_FRAME_TEXT = (
    "allow permit able possible require need necessary must should according document passage text "
    "source say state mention mean call name also total about around approximately roughly i.e e.g"
)
FRAME = frozenset(stem(word) for word in _FRAME_TEXT.split())
"""Words that frame a claim and are no part of it."""


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
        words = read(said)
        self.order = [t for t in words.stems if t not in words.numbers and t not in FRAME]
        self.figures = figures(said)
        self.names = names(said, evidence.known)
        self.titles = frozenset().union(*(evidence.titles[at] for at in looked))
        self.title_figures = [f for at in looked for f in evidence.title_figures[at]]
        self.matches = {term: alike(term, evidence.kin) for term in dict.fromkeys(self.order)}
        self.weights = {term: evidence.weight(term) for term in self.matches}
        self.fresh = {term for term in self.matches if term not in evidence.asked.words.stems}

    def sight(self) -> Sight:
        chosen = self._choose(self.pieces)
        window = frozenset().union(self.titles, *(piece.stems for piece in chosen))
        whole = frozenset().union(self.titles, *(piece.stems for piece in self.pieces))
        firm = [f for f in self.figures if not f.weak]
        here = [f for piece in chosen for f in piece.figures] + self.title_figures
        anywhere = [f for piece in self.pieces for f in piece.figures] + self.title_figures
        lost = [f for f in firm if not _given(f, anywhere)]
        lost_names = [name for name in self.names if not self._named(name, whole)]
        anchors = self._anchors()
        elsewhere, better = self._elsewhere(self._share(self.weights, window))
        row = [
            self._share(self.weights, chosen[0].stems | self.titles) if chosen else 0.0,
            self._share(self.weights, window),
            self._share(self.weights, whole),
            math.log1p(sum(not self._has(term, window) for term in self.matches)),
            math.log1p(sum(not self._has(term, whole) for term in self.matches)),
            max((self.weights[t] for t in self.matches if not self._has(t, whole)), default=0.0)
            / max(self.weights.values(), default=1.0),
            self._share(self.fresh, window),
            self._share(self.fresh, whole),
            math.log1p(len(self.fresh)),
            self._in_order(chosen),
            self._pairs(chosen),
            math.log1p(sum(not self._named(name, window) for name in self.names)),
            math.log1p(len(lost_names)),
            math.log1p(sum(not _given(f, here) for f in firm)),
            math.log1p(len(lost)),
            math.log1p(sum(f.weak and not _given(f, here) for f in self.figures)),
            *anchors,
            self._asked_anchor(),
            self._asked_covered(window),
            better,
            self._fresh_elsewhere(window),
            math.log1p(len(self.order)),
            math.log1p(len(firm) + len(self.names)),
            float(bool(self.cited)),
            self._negation(chosen),
            self._opposed(chosen),
            math.log1p(len(spells(self.said) - spells(" ".join(p.one.text for p in chosen)))),
            float(len(chosen) > 1),
            self._from_question(),
        ]  # fmt: skip
        return Sight(
            [*self._likeness(chosen), *row] if self.all.compares else row,
            chosen,
            self._nearest_of_the_rest(chosen),
            [f.said for f in lost if not _given(f, self.all.asked_figures)],
            [name for name in lost_names if stem(name) not in self.all.asked.words.stems],
            elsewhere,
        )

    def _has(self, term: str, held: frozenset[str]) -> bool:
        return not self.matches[term].isdisjoint(held)

    def _share(self, terms: Iterable[str], held: frozenset[str]) -> float:
        total = sum(self.weights[term] for term in terms)
        have = sum(self.weights[term] for term in terms if self._has(term, held))
        return have / total if total else 1.0

    def _choose(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The unit that says most of the claim, and a second where it adds enough."""
        if not pieces:
            return []
        facts = {stem(name) for name in self.names}

        def worth(piece: Piece, beside: frozenset[str] = frozenset()) -> float:
            held = piece.stems | self.titles | beside
            given = sum(_given(f, piece.figures) for f in self.figures)
            given += len(facts & piece.stems)
            share = given / (len(self.figures) + len(facts)) if self.figures or facts else 0.0
            return self._share(self.weights, held) + 0.5 * share

        best = max(pieces, key=worth)
        base = self._share(self.weights, best.stems | self.titles)
        rest = [piece for piece in pieces if piece is not best]
        if not rest:
            return [best]
        second = max(rest, key=lambda piece: worth(piece, best.stems))
        gain = self._share(self.weights, best.stems | second.stems | self.titles) - base
        adds = any(_given(f, second.figures) and not _given(f, best.figures) for f in self.figures)
        if gain < GAIN and not adds:
            return [best]
        return sorted([best, second], key=lambda piece: (piece.one.hit, piece.one.unit.start))

    def _nearest_of_the_rest(self, chosen: Sequence[Piece]) -> list[Piece]:
        held = {piece.one.hit for piece in chosen}
        return [
            max(units, key=lambda piece: self._share(self.weights, piece.stems))
            for at in dict.fromkeys(self.cited)
            if at not in held and (units := [p for p in self.pieces if p.one.hit == at])
        ]

    def _named(self, name: str, held: frozenset[str]) -> bool:
        term = stem(name)
        if not (self.matches.get(term) or alike(term, self.all.kin)).isdisjoint(held):
            return True
        return name.isupper() and len(name) > 1 and name in self._initials()

    def _initials(self) -> str:
        text = " ".join(piece.one.text for piece in self.pieces)
        return "".join(re.findall(r"\b[A-Z](?=[a-z])|\s[a-z]", text)).replace(" ", "")

    def _anchors(self) -> list[float]:
        """How much of what stands around each figure and name stands in one unit with it, too."""
        every, near = [], []
        for position, holds in self._facts():
            units = [piece for piece in self.pieces if holds(piece)]
            if not units:
                continue
            rest = [t for n, t in enumerate(self.order) if n != position and t not in self.titles]
            close = [
                t
                for n, t in enumerate(self.order)
                if n != position and abs(n - position) <= AROUND and t not in self.titles
            ]
            every.append(max(self._share(rest, piece.stems) for piece in units))
            near.append(max(self._share(close, piece.stems) for piece in units))
        if not every:
            return [1.0, 1.0, 1.0, 1.0]
        return [sum(every) / len(every), min(every), sum(near) / len(near), min(near)]

    def _asked_anchor(self) -> float:
        """How far the units with the figures and names of the claim fall behind in what the question asks."""
        asked = {term: self.all.weight(term) for term in self.all.asked.words.stems}
        total = sum(asked.values())
        facts = list(self._facts())
        if not total or not facts or not self.pieces:
            return 0.0

        def share(piece: Piece) -> float:
            return sum(weight for term, weight in asked.items() if term in piece.stems) / total

        best = max(map(share, self.pieces))
        held = [[share(piece) for piece in self.pieces if holds(piece)] for _, holds in facts]
        return max((best - max(shares) for shares in held if shares), default=0.0)

    def _facts(self) -> Iterable[tuple[int, Callable[[Piece], bool]]]:
        for name in dict.fromkeys(self.names):
            term = stem(name)
            if term in self.matches and term not in self.titles:
                yield self.order.index(term), _holder(self.matches[term])
        for figure in self.figures:
            before = self.said[: max(self.said.find(figure.said), 0)]
            words = read(before)
            yield sum(t not in words.numbers for t in words.stems), _giver(figure)

    def _in_order(self, chosen: Sequence[Piece]) -> float:
        """The longest common subsequence of words, as a share of the claim."""
        theirs = [term for piece in chosen for term in piece.order]
        lengths = [0] * (len(theirs) + 1)
        for term in self.order:
            diagonal = 0
            for at, other in enumerate(theirs, 1):
                held = lengths[at]
                lengths[at] = (
                    diagonal + 1 if other in self.matches[term] else max(held, lengths[at - 1])
                )
                diagonal = held
        return lengths[-1] / len(self.order) if self.order else 1.0

    def _pairs(self, chosen: Sequence[Piece]) -> float:
        pairs = list(zip(self.order, self.order[1:], strict=False))
        near = {
            pair
            for piece in chosen
            for step in (1, 2)
            for pair in zip(piece.order, piece.order[step:], strict=False)
        }
        return sum(pair in near for pair in pairs) / len(pairs) if pairs else 0.5

    def _asked_covered(self, window: frozenset[str]) -> float:
        terms = set(self.all.asked.words.stems)
        said = set(self.order)
        return len(terms & (window | said)) / len(terms) if terms else 1.0

    def _from_question(self) -> float:
        terms = set(self.all.asked.words.stems)
        return len(terms & set(self.order)) / len(terms) if terms else 0.0

    def _elsewhere(self, covered: float) -> tuple[int | None, float]:
        if not self.others:
            return None, 0.0
        best = max(self.others, key=lambda piece: self._share(self.weights, piece.stems))
        titles = self.all.titles[best.one.hit]
        gain = self._share(self.weights, best.stems | titles) - covered
        return (best.one.hit if gain > 0 else None), gain

    def _fresh_elsewhere(self, window: frozenset[str]) -> float:
        best = max((self._share(self.fresh, piece.stems) for piece in self.others), default=0.0)
        return best - self._share(self.fresh, window) if self.others else 0.0

    def _negation(self, chosen: Sequence[Piece]) -> float:
        theirs = any(negates(piece.one.text) for piece in chosen)
        return float(negates(self.said) != theirs)

    def _opposed(self, chosen: Sequence[Piece]) -> float:
        theirs = frozenset().union(*(piece.stems for piece in chosen))
        return float(opposed(frozenset(self.order), theirs))

    def _likeness(self, chosen: Sequence[Piece]) -> list[float]:
        here, there = self._nearest(self.pieces), self._nearest(self.others)
        asked = self.all.asked.text
        texts = [self.said, asked, *(piece.one.text for piece in [*here, *there])]
        vectors = self.all.vectors(texts)
        claim, question, rest = vectors[0], vectors[1], vectors[2:]
        cosines = rest @ claim
        mine = float(cosines[: len(here)].max(initial=0.0))
        theirs = float(cosines[len(here) :].max(initial=0.0))
        together = 0.0
        if chosen:
            both = self.all.vectors([piece.one.text for piece in chosen]).sum(axis=0, keepdims=True)
            together = float(unit_rows(both)[0] @ claim)
        best = max(mine, together)
        apart = theirs - best if self.others else -0.5
        return [mine, together, apart, best, float(question @ claim), *self._in_sense(chosen)]

    def _in_sense(self, chosen: Sequence[Piece]) -> list[float]:
        """Coverage where a word that is missing counts as far as another of the units is like it."""
        held = frozenset().union(self.titles, *(piece.stems for piece in chosen))
        spoken = spoken_words(self.said)
        missing = [t for t in self.matches if not self._has(t, held) and t in spoken]
        theirs = sorted({w for piece in chosen for w in spoken_words(piece.one.text).values()})
        likeness = dict.fromkeys(missing, 0.0)
        if missing and theirs:
            vectors = self.all.vectors([*(spoken[t] for t in missing), *theirs])
            cosines = vectors[: len(missing)] @ vectors[len(missing) :].T
            likeness = dict(zip(missing, cosines.max(axis=1).tolist(), strict=True))
        credit = {
            t: max(0.0, likeness.get(t, 1.0 if self._has(t, held) else 0.0)) for t in self.matches
        }

        def share(terms: Iterable[str]) -> float:
            total = sum(self.weights[t] for t in terms)
            return sum(self.weights[t] * credit[t] for t in terms) / total if total else 1.0

        return [share(self.matches), share(self.fresh), min(credit.values(), default=1.0)]

    def _nearest(self, pieces: Sequence[Piece]) -> list[Piece]:
        order = sorted(pieces, key=lambda piece: -self._share(self.weights, piece.stems))
        return order[:NEAR]


def _given(figure: Figure, others: Iterable[Figure]) -> bool:
    return any(figure.agrees(other) for other in others)


def _holder(matches: frozenset[str]) -> Callable[[Piece], bool]:
    return lambda piece: not matches.isdisjoint(piece.stems)


def _giver(figure: Figure) -> Callable[[Piece], bool]:
    return lambda piece: _given(figure, piece.figures)

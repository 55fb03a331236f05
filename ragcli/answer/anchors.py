"""Whether figures and names of a claim stand among the same words in the passages as in the claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ragcli.answer.evidence import Evidence, Piece
from ragcli.answer.facts import Figure, given
from ragcli.answer.terms import Terms
from ragcli.answer.words import read, stem

AROUND = 3
"""Content words on each side of a figure or name that are looked for beside it."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The figures and names of a claim, and the units that are looked through for them."""

    evidence: Evidence
    terms: Terms
    said: str
    figures: Sequence[Figure]
    names: Sequence[str]
    pieces: Sequence[Piece]

    def around(self) -> list[float]:
        """How much of what stands around each figure and name stands in one unit with it, too.

        Of the whole claim, then of the nearest words: mean and least; each 1 where there is none.
        """
        every, near = [], []
        for position, holds in self._places():
            units = [piece for piece in self.pieces if holds(piece)]
            if not units:
                continue
            rest = [
                (abs(n - position), term)
                for n, term in enumerate(self.terms.order)
                if n != position and term not in self.terms.titles
            ]
            every.append(self._held([term for _, term in rest], units))
            near.append(self._held([term for far, term in rest if far <= AROUND], units))
        if not every:
            return [1.0, 1.0, 1.0, 1.0]
        return [sum(every) / len(every), min(every), sum(near) / len(near), min(near)]

    def behind_question(self) -> float:
        """How far the units with the figures and names fall behind in what the question asks."""
        asked = {term: self.evidence.weight(term) for term in self.evidence.asked.words.stems}
        total = sum(asked.values())
        places = list(self._places())
        if not total or not places or not self.pieces:
            return 0.0

        def share(piece: Piece) -> float:
            return sum(weight for term, weight in asked.items() if term in piece.stems) / total

        best = max(map(share, self.pieces))
        held = [[share(piece) for piece in self.pieces if holds(piece)] for _, holds in places]
        return max((best - max(shares) for shares in held if shares), default=0.0)

    def _held(self, terms: Sequence[str], units: Sequence[Piece]) -> float:
        return max(self.terms.share(terms, piece.stems) for piece in units)

    def _places(self) -> Iterator[tuple[int, Callable[[Piece], bool]]]:
        """Where each stands among the words of the claim, and whether a unit holds it."""
        for name in dict.fromkeys(self.names):
            term = stem(name)
            if term in self.terms.matches and term not in self.terms.titles:
                yield self.terms.order.index(term), _holder(self.terms.matches[term])
        for figure in self.figures:
            before = self.said[: max(self.said.find(figure.said), 0)]
            words = read(before)
            yield sum(t not in words.numbers for t in words.stems), _giver(figure)


def _holder(matches: frozenset[str]) -> Callable[[Piece], bool]:
    return lambda piece: not matches.isdisjoint(piece.stems)


def _giver(figure: Figure) -> Callable[[Piece], bool]:
    return lambda piece: given(figure, piece.figures)

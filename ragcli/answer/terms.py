"""The words of a claim, matched with those of the passages: which are there, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ragcli.answer.evidence import Evidence, Piece, alike
from ragcli.answer.words import read, stem

_FRAME_TEXT = (
    "allow permit able possible require need necessary must should according document passage text "
    "source say state mention mean call name also total about around approximately roughly i.e e.g"
)
FRAME = frozenset(stem(word) for word in _FRAME_TEXT.split())
"""Words that frame a claim and are no part of it."""


class Terms:
    """The content words of a claim but for its figures; `fresh` are those that the question has not.

    `titles` are words of titles and headings, which every unit under them has.
    """

    def __init__(self, evidence: Evidence, said: str, titles: frozenset[str]) -> None:
        words = read(said)
        self.titles = titles
        self.order = [t for t in words.stems if t not in words.numbers and t not in FRAME]
        self.matches = {term: alike(term, evidence.kin) for term in dict.fromkeys(self.order)}
        self.weights = {term: evidence.weight(term) for term in self.matches}
        self.fresh = [term for term in self.matches if term not in evidence.asked.words.stems]

    def has(self, term: str, held: frozenset[str]) -> bool:
        """Whether the words `held` have the term, or one derived as it is."""
        return not self.matches[term].isdisjoint(held)

    def share(self, terms: Iterable[str], held: frozenset[str]) -> float:
        """The share of some terms, by weight, that the words `held` have; 1 where there are none."""
        total = sum(self.weights[term] for term in terms)
        have = sum(self.weights[term] for term in terms if self.has(term, held))
        return have / total if total else 1.0

    def heaviest_missing(self, held: frozenset[str]) -> float:
        """The weight of the weightiest term that is missing, as a share of the weightiest of all."""
        missing = [self.weights[term] for term in self.matches if not self.has(term, held)]
        return max(missing, default=0.0) / max(self.weights.values(), default=1.0)

    def held_by(self, pieces: Iterable[Piece]) -> frozenset[str]:
        """The words of these units, and of the titles that they stand under."""
        return self.titles.union(*(piece.stems for piece in pieces))

    def in_order(self, chosen: Sequence[Piece]) -> float:
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

    def pairs(self, chosen: Sequence[Piece]) -> float:
        """The share of neighbouring words that are neighbours, or nearly, in the units too."""
        pairs = list(zip(self.order, self.order[1:], strict=False))
        near = {
            pair
            for piece in chosen
            for step in (1, 2)
            for pair in zip(piece.order, piece.order[step:], strict=False)
        }
        return sum(pair in near for pair in pairs) / len(pairs) if pairs else 0.5

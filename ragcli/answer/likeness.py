"""What an embedder sees of a claim beside the passages: cosines with their units, and of single words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ragcli.answer.evidence import Evidence, Piece, spoken_words
from ragcli.answer.features import unit_rows
from ragcli.answer.terms import Terms

NEAR = 8
"""Units of the cited passages, and of the others, that are compared by their vectors."""
LIKENESS = (
    "cosine", "cosine_of_two", "cosine_better_elsewhere", "cosine_best", "cosine_asked",
    "covered_in_sense", "fresh_covered_in_sense", "least_in_sense",
)  # fmt: skip


def likeness(
    evidence: Evidence,
    terms: Terms,
    said: str,
    chosen: Sequence[Piece],
    pieces: Sequence[Piece],
    others: Sequence[Piece],
) -> list[float]:
    """The LIKENESS features of a claim that rests on `chosen`, of the cited `pieces`."""
    here, there = _nearest(terms, pieces), _nearest(terms, others)
    asked = evidence.asked.text
    texts = [said, asked, *(piece.one.text for piece in [*here, *there])]
    vectors = evidence.vectors(texts)
    claim, question, rest = vectors[0], vectors[1], vectors[2:]
    cosines = rest @ claim
    mine = float(cosines[: len(here)].max(initial=0.0))
    theirs = float(cosines[len(here) :].max(initial=0.0))
    together = 0.0
    if chosen:
        both = evidence.vectors([piece.one.text for piece in chosen]).sum(axis=0, keepdims=True)
        together = float(unit_rows(both)[0] @ claim)
    best = max(mine, together)
    apart = theirs - best if others else -0.5
    return [
        mine,
        together,
        apart,
        best,
        float(question @ claim),
        *_in_sense(evidence, terms, said, chosen),
    ]


def _in_sense(evidence: Evidence, terms: Terms, said: str, chosen: Sequence[Piece]) -> list[float]:
    """Coverage where a word that is missing counts as far as another of the units is like it."""
    held = terms.held_by(chosen)
    spoken = spoken_words(said)
    missing = [t for t in terms.matches if not terms.has(t, held) and t in spoken]
    theirs = sorted({w for piece in chosen for w in spoken_words(piece.one.text).values()})
    found = dict.fromkeys(missing, 0.0)
    if missing and theirs:
        vectors = evidence.vectors([*(spoken[t] for t in missing), *theirs])
        cosines = vectors[: len(missing)] @ vectors[len(missing) :].T
        found = dict(zip(missing, cosines.max(axis=1).tolist(), strict=True))
    credit = {t: max(0.0, found.get(t, 1.0 if terms.has(t, held) else 0.0)) for t in terms.matches}

    def share(some: Iterable[str]) -> float:
        total = sum(terms.weights[t] for t in some)
        return sum(terms.weights[t] * credit[t] for t in some) / total if total else 1.0

    return [share(terms.matches), share(terms.fresh), min(credit.values(), default=1.0)]


def _nearest(terms: Terms, pieces: Sequence[Piece]) -> list[Piece]:
    order = sorted(pieces, key=lambda piece: -terms.share(terms.weights, piece.stems))
    return order[:NEAR]

"""What can be seen of a candidate sentence without understanding it: overlap, likeness, form, place.

Every feature is a ratio, a flag or a logarithm, so that it means the same in another collection.
Which of them matter is learned (see calibration.py); nothing is decided here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ragcli.answer.candidates import Candidate, title_words
from ragcli.answer.words import Question, Words, offers, pairs
from ragcli.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

LIKENESS = (
    "cosine", "cosine_below_best", "cosine_above_mean", "cosine_around", "cosine_before",
    "cosine_hit", "best_cosine_hit_below_best", "dense",
)  # fmt: skip
WORDING = (
    "covered", "covered_with_title", "covered_with_before", "covered_by_hit", "covered_below_best",
    "covered_evenly", "pairs", "names", "names_hit", "numbers", "numbers_hit", "asked_names",
    "asked_numbers", "repeats", "fresh", "focus", "heaviest_missing", "title_covered",
)  # fmt: skip
FORM = (
    "offers", "lacks", "fresh_names", "fresh_full_name", "fresh_numbers", "asks_person", "asks_date",
    "asks_duration", "asks_number", "asks_place", "asks_reason", "asks_manner", "asks_thing",
    "asks_other", "question_terms",
    "length", "first", "position", "leans", "item", "row", "code", "leads_in", "is_question",
)  # fmt: skip
STANDING = ("score", "score_below_best", "rank", "lexical_share", "only_hit")
_ASKED = FORM[FORM.index("asks_person") : FORM.index("question_terms")]
WORDS_ONLY = (*WORDING, *FORM, *STANDING)
WITH_VECTORS = (*LIKENESS, *WORDS_ONLY)


def features(
    asked: Question,
    hits: Sequence[Hit],
    found: Sequence[Candidate],
    vectors: tuple[Matrix, Matrix] | None,
) -> Matrix:
    """One row for each candidate: columns WITH_VECTORS, or WORDS_ONLY where `vectors` is None.

    `vectors` are the embedding of the question, shape (dim,), and of the candidates, shape
    (n, dim), all of length 1.
    """
    import numpy as np

    seen = _Overlap(asked, hits, found)
    spans = _spans(found)
    rows = [
        [
            *seen.wording(n),
            *_form(asked, one, seen.fresh(n), n, spans[one.hit]),
            *_standing(hits, one.hit),
        ]
        for n, one in enumerate(found)
    ]
    plain = np.array(rows, dtype=np.float32).reshape(len(found), len(WORDS_ONLY))
    if vectors is None:
        return plain
    return np.hstack([_likeness(hits, found, *vectors), plain])


class _Overlap:
    """The question's terms, weighed by how rare they are among the candidates, and who has them."""

    def __init__(self, asked: Question, hits: Sequence[Hit], found: Sequence[Candidate]) -> None:
        self.asked = asked
        self.found = found
        self.have = [frozenset(one.words.stems) for one in found]
        titles = [frozenset(title_words(hit).stems) for hit in hits]
        inside: list[set[str]] = [set(title) for title in titles]
        for one, have in zip(found, self.have, strict=True):
            inside[one.hit] |= have
        self.inside = inside
        self.titles = [
            titles[one.hit] if one.under is None else titles[one.hit] | self.have[one.under]
            for one in found
        ]
        self.weights = self._weights()
        self.names = frozenset(name for one in found for name in one.words.names)
        self.best = max((self._share(have) for have in self.have), default=0.0)

    def _weights(self) -> dict[str, float]:
        counts = Counter(term for have in self.have for term in have)
        total = len(self.have)
        return {
            term: math.log(1 + (total + 1) / (counts[term] + 0.5))
            for term in dict.fromkeys(self.asked.words.stems)
        }

    def _share(self, have: frozenset[str] | set[str]) -> float:
        total = sum(self.weights.values())
        held = sum(weight for term, weight in self.weights.items() if term in have)
        return held / total if total else 0.0

    def fresh(self, n: int) -> Words:
        """What candidate `n` says that neither the question nor the title said.

        A word that opens a sentence counts as a name where another sentence writes it as one.
        """
        one = self.found[n]
        known = self.weights.keys() | self.titles[n]
        return Words(
            tuple(stem for stem in one.words.stems if stem not in known),
            (self.have[n] & self.names) - known,
            one.words.numbers - self.weights.keys(),
            one.words.count,
        )

    def wording(self, n: int) -> list[float]:
        """The WORDING features of candidate `n`."""
        one, have, asked = self.found[n], self.have[n], self.asked.words
        title, inside = self.titles[n], self.inside[one.hit]
        nearby = {at for at in (one.before, one.leans_on) if at is not None}
        before = frozenset().union(*(self.have[at] for at in nearby))
        terms = self.weights.keys()
        fresh = have - terms
        mine = pairs(one.words)
        missing = max((w for t, w in self.weights.items() if t not in inside), default=0.0)
        covered = self._share(have)
        return [
            covered,
            self._share(have | title),
            self._share(have | title | before),
            self._share(inside),
            self.best - covered,
            _ratio(terms & have, terms),
            _ratio(self.asked.pairs & mine, self.asked.pairs),
            _ratio(asked.names & (have | title), asked.names),
            _ratio(asked.names & inside, asked.names),
            _ratio(asked.numbers & have, asked.numbers),
            _ratio(asked.numbers & inside, asked.numbers),
            math.log1p(len(asked.names)),
            math.log1p(len(asked.numbers)),
            _ratio(have & terms, have),
            math.log1p(len(fresh)),
            _ratio(self.asked.focus & have, self.asked.focus),
            missing / max(self.weights.values(), default=1.0),
            self._share(title),
        ]


def _ratio(part: Any, whole: Any) -> float:
    return len(part) / len(whole) if whole else 0.5


def _form(
    asked: Question, one: Candidate, fresh: Words, n: int, span: tuple[int, int]
) -> list[float]:
    """The FORM features of candidate `n`, whose hit has the candidates of `span`, first and last."""
    offered = offers(asked.asks, one.text, fresh)
    first, last = span
    return [
        float(offered == 1),
        float(offered == 0),
        float(bool(fresh.names)),
        float(any(a in fresh.names and b in fresh.names for a, b in pairs(one.words))),
        float(bool(fresh.numbers)),
        *(float(name == f"asks_{asked.asks}") for name in _ASKED),
        math.log1p(len(set(asked.words.stems))),
        math.log1p(one.words.count),
        float(n == first),
        (n - first) / max(last - first, 1),
        float(one.leans_on is not None),
        *(float(one.unit.kind == kind) for kind in ("item", "row", "code")),
        float(one.unit.leads_in),
        float(one.text[-1:] in "?？"),
    ]


def _spans(found: Sequence[Candidate]) -> dict[int, tuple[int, int]]:
    """The first and the last candidate of each hit."""
    spans: dict[int, tuple[int, int]] = {}
    for n, one in enumerate(found):
        spans[one.hit] = (spans.get(one.hit, (n, n))[0], n)
    return spans


def _standing(hits: Sequence[Hit], at: int) -> list[float]:
    """The STANDING features: what retrieval thought of the hit."""
    hit = hits[at]
    most = max((other.lexical or 0.0) for other in hits)
    return [
        hit.retrieved,
        max(other.retrieved for other in hits) - hit.retrieved,
        1 / (1 + at),
        (hit.lexical or 0.0) / most if most > 0 else 0.0,
        float(len(hits) == 1),
    ]


def _likeness(
    hits: Sequence[Hit], found: Sequence[Candidate], asked: Matrix, vectors: Matrix
) -> Matrix:
    """The LIKENESS features: cosines of the question with the unit and with what surrounds it."""
    import numpy as np

    cosine = vectors @ asked
    place = np.array([one.hit for one in found])
    best = float(cosine.max(initial=0.0))
    compared = vectors.any(axis=1)
    mean = float(cosine[compared].mean()) if compared.any() else 0.0
    columns = np.zeros((len(found), len(LIKENESS)), dtype=np.float32)
    for at, hit in enumerate(hits):
        rows = np.flatnonzero(place == at)
        if not len(rows):
            continue
        mine, own = vectors[rows], cosine[rows]
        padded = np.pad(mine, ((1, 1), (0, 0)))
        around = unit_rows(padded[:-2] + mine + padded[2:]) @ asked
        whole = float(unit_rows(mine.sum(axis=0, keepdims=True))[0] @ asked)
        before = np.concatenate([[0.0], own[:-1]])
        dense = whole if hit.dense is None else hit.dense
        columns[rows] = np.column_stack([
            own, best - own, own - mean, around, before,
            np.full(len(rows), whole), np.full(len(rows), best - own.max()),
            np.full(len(rows), dense),
        ])  # fmt: skip
    return columns


def unit_rows(rows: Matrix) -> Matrix:
    """The rows scaled to length 1; a row of zeros stays."""
    import numpy as np

    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-9), dtype=np.float32)

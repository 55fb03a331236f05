"""What the passages hold, unit by unit, and what can be seen of a claim beside them.

Every feature is a share, a flag or a logarithm. Which of them matter is learned (see support.json);
nothing is decided here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.answer.candidates import Candidate, candidates, title_words
from ragcli.answer.facts import Figure, figures, names
from ragcli.answer.features import unit_rows
from ragcli.answer.words import Question, read, stem
from ragcli.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

NEAR = 8
"""Units of the cited passages, and of the others, that are compared by their vectors."""
AROUND = 3
"""Content words on each side of a figure or name that are looked for beside it."""
FAMILY, HEAD = 5, 4
"""Letters that words must have to be compared as derived from one another, and that they must share."""
GAIN = 0.1
"""Share of a claim that a second unit must add to be relied on too."""
WORDING = (
    "covered", "covered_by_two", "covered_by_passage", "missing", "missing_in_passage",
    "heaviest_missing", "fresh_covered", "fresh_covered_by_passage", "fresh", "in_order", "pairs",
    "names_missing", "names_missing_in_passage", "figures_missing", "figures_missing_in_passage",
    "weak_figures_missing", "anchored", "anchored_least", "anchored_near", "anchored_near_least",
    "asked_covered", "better_elsewhere", "fresh_better_elsewhere", "length", "facts", "cited",
    "negation", "opposed", "second_needed", "from_question",
)  # fmt: skip
LIKENESS = ("cosine", "cosine_of_two", "cosine_better_elsewhere", "cosine_best", "cosine_asked")
WITH_VECTORS = (*LIKENESS, *WORDING)
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|nobody|nothing|fail(?:s|ed)?|lacks?|lacked"
    r"|refused?|unable|hardly)\b|n['’]t\b",
    re.IGNORECASE,
)
_OPPOSITES_TEXT = (
    "increase decrease, more less, more fewer, before after, first last, high low, higher lower, "
    "largest smallest, best worst, win lose, north south, east west, early late, oldest youngest, "
    "most least, above below, allow forbid, accept reject, rise fall, major minor, maximum minimum, "
    "begin end, start stop, open close, enable disable, import export, buy sell, include exclude, "
    "old new, left right, male female, always never"
)
_OPPOSITES = [frozenset(stem(word) for word in pair.split()) for pair in _OPPOSITES_TEXT.split(",")]


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit of a passage with what it says: its words, figures and names."""

    one: Candidate
    stems: frozenset[str]
    order: tuple[str, ...]
    figures: tuple[Figure, ...]
    names: frozenset[str]


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


class Evidence:
    """The passages that an answer may cite; `embedder` compares by meaning, without it words do."""

    def __init__(self, hits: Sequence[Hit], asked: Question, embedder: Embeddings | None) -> None:
        self.hits = hits
        self.asked = asked
        self._asked_figures = figures(asked.text)
        self._embedder = embedder
        self._vectors: dict[str, Matrix] = {}
        self.pieces = [_piece(one) for one in candidates(hits)]
        self._titles = [frozenset(title_words(hit).stems) for hit in hits]
        self._title_figures = [figures(_titles(hit)) for hit in hits]
        self.kin = _by_head({t for piece in self.pieces for t in piece.stems}.union(*self._titles))
        self._counts = Counter(term for piece in self.pieces for term in piece.stems)
        self._known = frozenset(name for piece in self.pieces for name in piece.names) | frozenset(
            stem(name) for hit in hits for name in names(f"on {_titles(hit)} {asked.text}")
        )

    def look(self, said: str, cited: Sequence[int]) -> Sight:
        """What is seen of a claim beside the passages `cited` (positions), or all where there are none."""
        return _Look(self, said, cited).sight()

    @property
    def compares(self) -> bool:
        """Whether claims and units are compared by meaning too."""
        return self._embedder is not None

    def says(self, text: str) -> bool:
        """Whether these very characters stand in a passage."""
        return any(text in hit.chunk.text for hit in self.hits)

    def weight(self, term: str) -> float:
        """How much a word tells: the rarer among the units, the more."""
        total = len(self.pieces)
        return math.log(1 + (total + 1) / (self._counts[term] + 0.5))

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Unit vectors of texts, shape (n, dim); each text is embedded once."""
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new and self._embedder is not None:
            rows = np.array(self._embedder.embed_documents(new), dtype=np.float32)
            self._vectors.update(zip(new, unit_rows(rows), strict=True))
        return np.stack([self._vectors[text] for text in texts])


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
        self.order = [term for term in words.stems if term not in words.numbers]
        self.figures = figures(said)
        self.names = names(said, evidence._known)
        self.titles = frozenset().union(*(evidence._titles[at] for at in looked))
        self.title_figures = [f for at in looked for f in evidence._title_figures[at]]
        self.matches = {term: _alike(term, evidence.kin) for term in dict.fromkeys(self.order)}
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
            self._asked_covered(window),
            better,
            self._fresh_elsewhere(window),
            math.log1p(len(self.order)),
            math.log1p(len(firm) + len(self.names)),
            float(bool(self.cited)),
            self._negation(chosen),
            self._opposed(chosen),
            float(len(chosen) > 1),
            self._from_question(),
        ]  # fmt: skip
        return Sight(
            [*self._likeness(chosen), *row] if self.all._embedder is not None else row,
            chosen,
            self._nearest_of_the_rest(chosen),
            [f.said for f in lost if not _given(f, self.all._asked_figures)],
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
        if not (self.matches.get(term) or _alike(term, self.all.kin)).isdisjoint(held):
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
        titles = self.all._titles[best.one.hit]
        gain = self._share(self.weights, best.stems | titles) - covered
        return (best.one.hit if gain > 0 else None), gain

    def _fresh_elsewhere(self, window: frozenset[str]) -> float:
        best = max((self._share(self.fresh, piece.stems) for piece in self.others), default=0.0)
        return best - self._share(self.fresh, window) if self.others else 0.0

    def _negation(self, chosen: Sequence[Piece]) -> float:
        theirs = any(_NEGATION.search(piece.one.text) for piece in chosen)
        return float(bool(_NEGATION.search(self.said)) != theirs)

    def _opposed(self, chosen: Sequence[Piece]) -> float:
        mine = set(self.order)
        theirs = {term for piece in chosen for term in piece.stems}
        return float(
            any(
                len(pair & mine) == 1 and len(pair & theirs) == 1 and not pair & mine & theirs
                for pair in _OPPOSITES
            )
        )

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
        return [
            mine,
            together,
            theirs - best if self.others else -0.5,
            best,
            float(question @ claim),
        ]

    def _nearest(self, pieces: Sequence[Piece]) -> list[Piece]:
        order = sorted(pieces, key=lambda piece: -self._share(self.weights, piece.stems))
        return order[:NEAR]


def _piece(one: Candidate) -> Piece:
    held = frozenset(stem(name) for name in names(one.text))
    order = tuple(term for term in one.words.stems if term not in one.words.numbers)
    return Piece(one, frozenset(one.words.stems), order, tuple(figures(one.text)), held)


def _titles(hit: Hit) -> str:
    return " . ".join([hit.chunk.title or "", *hit.chunk.heading])


def _given(figure: Figure, others: Iterable[Figure]) -> bool:
    return any(figure.agrees(other) for other in others)


def _holder(matches: frozenset[str]) -> Callable[[Piece], bool]:
    return lambda piece: not matches.isdisjoint(piece.stems)


def _giver(figure: Figure) -> Callable[[Piece], bool]:
    return lambda piece: _given(figure, piece.figures)


def _alike(term: str, kin: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The term, and the words derived as it is: `invent`, `inventor`. `kin` are words by their head."""
    if len(term) < FAMILY:
        return frozenset({term})
    near = (other for other in kin.get(term[:HEAD], ()) if _derived(term, other))
    return frozenset([term, *near])


def _derived(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return (
        len(short) >= FAMILY
        and len(long) - len(short) <= HEAD
        and long.startswith(short[: max(HEAD, math.ceil(len(short) * 0.7))])
    )


def _by_head(vocabulary: Iterable[str]) -> dict[str, frozenset[str]]:
    heads: dict[str, set[str]] = {}
    for word in vocabulary:
        heads.setdefault(word[:HEAD], set()).add(word)
    return {head: frozenset(words) for head, words in heads.items()}

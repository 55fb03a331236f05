"""What the passages hold, unit by unit: words, figures, names and vectors. Compares nothing by itself."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.answer.candidates import Candidate, candidates, title_words
from ragcli.answer.facts import Figure, figures, names
from ragcli.answer.features import unit_rows
from ragcli.answer.words import Question, stem
from ragcli.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

FAMILY, HEAD = 5, 4
"""Letters that words must have to be compared as derived from one another, and that they must share."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit of a passage with what it says: its words, figures and names."""

    one: Candidate
    stems: frozenset[str]
    order: tuple[str, ...]
    figures: tuple[Figure, ...]
    names: frozenset[str]


class Evidence:
    """The passages that an answer may cite; `embedder` compares by meaning, without it words do."""

    def __init__(self, hits: Sequence[Hit], asked: Question, embedder: Embeddings | None) -> None:
        self.hits = hits
        self.asked = asked
        self.asked_figures = figures(asked.text)
        self._embedder = embedder
        self._vectors: dict[str, Matrix] = {}
        self.pieces = [_piece(one) for one in candidates(hits)]
        self.titles = [frozenset(title_words(hit).stems) for hit in hits]
        self.title_figures = [figures(_titles(hit)) for hit in hits]
        self.kin = _by_head({t for piece in self.pieces for t in piece.stems}.union(*self.titles))
        self._counts = Counter(term for piece in self.pieces for term in piece.stems)
        self.known = frozenset(name for piece in self.pieces for name in piece.names) | frozenset(
            stem(name) for hit in hits for name in names(f"on {_titles(hit)} {asked.text}")
        )

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


def spoken_words(text: str) -> dict[str, str]:
    """The words of a text as they are written, by their stems."""
    return {stem(word): word.lower() for word in re.findall(r"[^\W\d_]+", text) if len(word) > 1}


def _piece(one: Candidate) -> Piece:
    held = frozenset(stem(name) for name in names(one.text))
    order = tuple(term for term in one.words.stems if term not in one.words.numbers)
    return Piece(one, frozenset(one.words.stems), order, tuple(figures(one.text)), held)


def _titles(hit: Hit) -> str:
    return " . ".join([hit.chunk.title or "", *hit.chunk.heading])


def alike(term: str, kin: Mapping[str, frozenset[str]]) -> frozenset[str]:
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

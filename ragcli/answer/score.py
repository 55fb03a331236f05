"""Scores candidates with the fitted networks: how likely each answers, and whether any does.

Without an embedder the numbers that were fitted on words alone are used; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.answer.candidates import Candidate
from ragcli.answer.features import WORDING, WORDS_ONLY, features, unit_rows
from ragcli.answer.model import Calibration, calibration, probability
from ragcli.answer.words import Question
from ragcli.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

NEVER = -30.0
"""Log odds of what cannot answer by itself."""
EMBEDDED = 48
"""Candidates that are embedded at most: those that words alone find likeliest."""
FOUND = (
    "best", "second", "other_hit", "expected", "spread", "hits", "first_score", "first_below",
    "mean_below", "rank_of_best",
)  # fmt: skip
"""What is seen of all scores together, ahead of the WORDING of the best candidate.

Its other features say nothing more about the questions that were fitted on, and on documents of
another kind they mislead (see docs/decisions/0006-quoting.md).
"""


@dataclass(frozen=True, slots=True)
class Scores:
    """Log odds of each candidate, the probability that the likeliest answer, and the numbers used."""

    odds: list[float]
    confidence: float
    fitted: Calibration


def score(
    asked: Question,
    hits: Sequence[Hit],
    found: Sequence[Candidate],
    embedder: Embeddings | None,
) -> Scores:
    """Score the candidates of the hits; deterministic for the same embedder."""
    fitted = calibration(embedder is not None)
    if not found:
        return Scores([], 0.0, fitted)
    vectors = None if embedder is None else embed(asked, hits, found, embedder)
    rows = features(asked, hits, found, vectors)
    odds = fitted.sentence.logits(rows)
    odds[[n for n, one in enumerate(found) if one.heads]] = NEVER
    summary = summarise(odds, rows, found, hits)
    confidence = float(probability(fitted.found.logits(summary[None, :]))[0])
    return Scores(odds.tolist(), confidence, fitted)


def summarise(
    odds: Matrix, rows: Matrix, found: Sequence[Candidate], hits: Sequence[Hit]
) -> Matrix:
    """The inputs of the network that decides whether anything was found, shape (inputs,)."""
    import numpy as np

    best = int(np.argmax(odds))
    places = np.array([one.hit for one in found])
    rest = np.delete(odds, best)
    elsewhere = odds[places != places[best]]
    shares = np.exp(odds - odds.max())
    shares /= shares.sum()
    scores = [hit.retrieved for hit in hits]
    seen = [
        odds[best],
        rest.max() if len(rest) else odds[best] - 10,
        elsewhere.max() if len(elsewhere) else odds[best] - 10,
        float(np.log1p(probability(odds).sum())),
        -float((shares * np.log(np.maximum(shares, 1e-9))).sum()),
        float(np.log1p(len(hits))),
        scores[0],
        scores[0] - scores[1] if len(scores) > 1 else 0.0,
        scores[0] - float(np.mean(scores)),
        float(places[best]),
    ]
    wording = rows[best, -len(WORDS_ONLY) :][: len(WORDING)]
    return np.concatenate([seen, wording]).astype(np.float32)


def embed(
    asked: Question, hits: Sequence[Hit], found: Sequence[Candidate], embedder: Embeddings
) -> tuple[Matrix, Matrix]:
    """Unit vectors of the question, shape (dim,), and of the candidates, shape (n, dim).

    Beyond EMBEDDED candidates the unlikely ones keep a vector of zeros, which is like nothing.
    """
    import numpy as np

    chosen = list(range(len(found)))
    if len(found) > EMBEDDED:
        odds = calibration(False).sentence.logits(features(asked, hits, found, None))
        chosen = sorted(np.argsort(-odds, kind="stable")[:EMBEDDED].tolist())
    question = np.array(embedder.embed_query(asked.text), dtype=np.float32)
    vectors = np.zeros((len(found), len(question)), dtype=np.float32)
    vectors[chosen] = embedder.embed_documents([found[n].text for n in chosen])
    return unit_rows(question[None, :])[0], unit_rows(vectors)

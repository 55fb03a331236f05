"""A linear map for the vectors of questions, fitted in closed form; documents keep their vectors.

Ridge regression towards the identity: W minimises |Q W - P|^2 + a |W - I|^2, where a row of P is
the mean of the unit vectors that answer the question in the same row of Q. Solved with matrices of
the dimension squared, so the number of stored vectors does not matter. The strength a is chosen on
development questions; where none helps, the map is the identity.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.embedders.embedder import adapted
from ragcli.finetune.scores import DEPTH, Judge, ndcg

if TYPE_CHECKING:
    import numpy as np

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""As shares of the number of questions for each dimension."""
BLOCK = 50_000
"""Stored vectors that are looked at at once."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The map, float32 (dimension, dimension), and how it was chosen; without strength the identity."""

    matrix: np.ndarray
    strength: float | None
    base: float
    best: float
    seconds: float


def fit(
    questions: np.ndarray,
    answers: np.ndarray,
    score: Callable[[np.ndarray], float],
) -> Fitted:
    """Fit on unit vectors (n, dimension) of questions and of what answers each; `score` judges a map."""
    import numpy as np

    started = time.perf_counter()
    dimension = questions.shape[1]
    identity = np.eye(dimension, dtype=np.float64)
    first, second = questions.astype(np.float64), answers.astype(np.float64)
    gram, cross = first.T @ first, first.T @ second
    unit = len(questions) / dimension
    base = best = score(identity.astype(np.float32))
    chosen: tuple[float | None, np.ndarray] = (None, identity)
    for share in STRENGTHS:
        ridge = share * unit
        matrix = np.linalg.solve(gram + ridge * identity, cross + ridge * identity)
        value = score(matrix.astype(np.float32))
        if value > best:
            best, chosen = value, (share, matrix)
    return Fitted(
        chosen[1].astype(np.float32), chosen[0], base, best, time.perf_counter() - started
    )


def ranking_score(
    questions: np.ndarray,
    relevant: Sequence[Mapping[str, int]],
    vectors: np.ndarray,
    names: Sequence[str],
    apart: Collection[int] = (),
) -> Callable[[np.ndarray], float]:
    """nDCG@10 of a map, over all stored vectors (n, dimension) with their passages' names.

    `apart` are the questions about documents outside the training, as `Judge` wants them; the
    first map that is scored has to be the identity.
    """
    judge = Judge([str(at) for at in apart])

    def score(matrix: np.ndarray) -> float:
        asked = adapted(questions, matrix)
        values = {}
        for at, row in enumerate(_best(asked, vectors, 4 * DEPTH)):
            found = list(dict.fromkeys(names[key] for key in row))
            values[str(at)] = ndcg(found, relevant[at])
        return judge(values)

    return score


def _best(asked: np.ndarray, vectors: np.ndarray, depth: int) -> np.ndarray:
    """The rows of `vectors` nearest to each question, best first, shape (questions, depth)."""
    import numpy as np

    best = np.empty((len(asked), 0), np.int64)
    cosines = np.empty((len(asked), 0), np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = asked @ vectors[start : start + BLOCK].astype(np.float32).T
        count = min(depth, block.shape[1])
        there = np.argpartition(-block, count - 1, axis=1)[:, :count]
        cosines = np.hstack([cosines, np.take_along_axis(block, there, axis=1)])
        best = np.hstack([best, there + start])
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :depth]
        cosines = np.take_along_axis(cosines, order, axis=1)
        best = np.take_along_axis(best, order, axis=1)
    return best

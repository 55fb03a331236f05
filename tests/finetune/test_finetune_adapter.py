"""The map for questions: undoes a rotation, and is the identity where nothing can be learned."""

from __future__ import annotations

import numpy as np

from ragcli.finetune.adapter import fit, ranking_score

DIMENSION, PASSAGES = 32, 600


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def world(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Passages, and an orthogonal matrix that questions went through."""
    random = np.random.default_rng(seed)
    passages = unit(random.normal(size=(PASSAGES, DIMENSION)))
    rotation, _ = np.linalg.qr(random.normal(size=(DIMENSION, DIMENSION)))
    return passages, rotation


def parts(passages: np.ndarray, questions: np.ndarray):
    names = [str(at) for at in range(PASSAGES)]
    held = range(400, 500)
    score = ranking_score(questions[held], [{str(at): 1} for at in held], passages, names)
    return fit(questions[:400], passages[:400], score), names


def test_a_rotation_is_undone_on_questions_that_were_not_fitted() -> None:
    passages, rotation = world(0)
    noise = np.random.default_rng(1).normal(size=passages.shape, scale=0.05)
    questions = unit(passages @ rotation + noise)
    fitted, names = parts(passages, questions)
    assert fitted.base < 0.1 < 0.9 < fitted.best
    test = range(500, 600)
    judge = ranking_score(questions[test], [{str(at): 1} for at in test], passages, names)
    assert judge(fitted.matrix) > 0.9


def test_where_questions_are_right_already_the_map_is_the_identity() -> None:
    passages, _ = world(2)
    fitted, _ = parts(passages, passages)
    assert fitted.strength is None and fitted.base == fitted.best == 1.0
    assert np.array_equal(fitted.matrix, np.eye(DIMENSION, dtype=np.float32))

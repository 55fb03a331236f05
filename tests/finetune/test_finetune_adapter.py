"""The map for questions: undoes a rotation, and is the identity where nothing can be learned."""

from __future__ import annotations

import numpy as np
import pytest

from ragcli.finetune.adapter import fit, ranking_score
from ragcli.finetune.scores import Judge

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


def test_a_loss_on_new_documents_beyond_chance_counts_threefold() -> None:
    names = [f"q{n}" for n in range(20)]
    judge = Judge(names[:10])
    base = dict.fromkeys(names, 0.5)
    assert judge(base) == pytest.approx(0.5)
    # What is gained on the other ten is not worth a steady loss on those, chance can explain one.
    gained = {**base, **dict.fromkeys(names[10:], 0.9)}
    assert judge(gained) == pytest.approx(0.7)
    assert judge({**gained, **dict.fromkeys(names[:10], 0.4)}) == pytest.approx(0.65 - 3 * 0.1)
    assert judge({**gained, names[0]: 0.0}) == pytest.approx(0.675)

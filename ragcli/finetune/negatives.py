"""Finds hard negatives: what words and meaning rank high for a question, and does not answer it.

Known answers are left out, and what is nearly as near as one: it probably is one too (the margin
to the positive of NV-Retriever, Moreira et al. 2024). The best ranks are passed over.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ragcli.finetune.ground import Ground
from ragcli.finetune.material import Question
from ragcli.retrieve.sides import complete, dense_side, lexical_side

DEPTH = 50
NEAR = 12
"""Chunks, of which eight passages or so are left."""
PASSED_OVER = 4
MARGIN = 0.95
BATCH = 64


def mine(
    ground: Ground,
    embedder: Any,
    questions: Mapping[str, Question],
    wanted: int,
    seed: int,
    advance: Callable[[int], None],
) -> dict[str, list[str]]:
    """Up to `wanted` passages for each question, drawn with the seed."""
    draw = random.Random(seed)
    ids = list(questions)
    keys = ground.keys()
    found: dict[str, list[str]] = {}
    for start in range(0, len(ids), BATCH):
        portion = ids[start : start + BATCH]
        vectors = embedder.encode([questions[id].text for id in portion], query=True)
        for id, vector in zip(portion, vectors, strict=True):
            ranked = candidates(ground, questions[id], vector, keys)
            ranked = [name for name in ranked if name != id]
            chosen = ranked[PASSED_OVER:] or ranked
            found[id] = draw.sample(chosen, min(wanted, len(chosen)))
        advance(len(portion))
    return found


def nearest(
    ground: Ground, embedder: Any, questions: Mapping[str, Question], advance: Callable[[int], None]
) -> dict[str, list[str]]:
    """What the base ranks first for each question by meaning and by words, answers and all.

    With these a part of the corpus ranks for the base as all of it does.
    """
    ids = list(questions)
    vectors = embedder.encode([questions[id].text for id in ids], query=True)
    found: dict[str, list[str]] = {}
    for id, vector in zip(ids, vectors, strict=True):
        dense = dense_side(ground.collection, vector, NEAR, None)
        lexical = lexical_side(ground.collection, questions[id].text, NEAR, None)
        by_words = list(lexical.ranks)[: NEAR // 3]
        found[id] = list(dict.fromkeys(ground.names[key] for key in (*dense.ranks, *by_words)))
        advance(1)
    return found


def candidates(
    ground: Ground, question: Question, vector: Any, keys: Mapping[str, Sequence[int]]
) -> list[str]:
    """Passages that look right and are not, those that words and meaning rank first in front."""
    dense = dense_side(ground.collection, vector, DEPTH, None)
    lexical = lexical_side(ground.collection, question.text, DEPTH, None)
    complete(ground.collection, question.text, vector, dense, lexical)
    ceiling = MARGIN * _nearest(ground, question, vector, keys)
    order = [list(side.ranks) for side in (dense, lexical)]
    ranked = [key for pair in zip_longest(*order) for key in pair if key is not None]
    names = dict.fromkeys(
        ground.names[key] for key in ranked if dense.scores.get(key, 0.0) < ceiling
    )
    return [name for name in names if name not in question.relevant]


def _nearest(
    ground: Ground, question: Question, vector: Any, keys: Mapping[str, Sequence[int]]
) -> float:
    """The cosine of the nearest chunk that answers the question; 1 where none has a vector."""
    import numpy as np

    mine = [key for name in question.relevant for key in keys.get(name, ())]
    _, vectors = ground.collection.ledger.vectors(mine)
    return float((vectors.astype(np.float32) @ vector).max()) if len(vectors) else 1.0

"""Turns questions and passages into the rows that a loss wants, whatever shape the data had."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from ragcli.finetune.losses import GRADED, LOSSES, NEEDS_NEGATIVES
from ragcli.finetune.material import Material, Row


def rows(
    material: Material,
    train: Iterable[str],
    negatives: Mapping[str, list[str]],
    loss: str,
    wanted: int,
    seed: int,
) -> Iterator[Row]:
    """The rows to train on; `wanted` negatives in each where the loss ranks."""
    ids = list(train)
    kind = LOSSES[loss]
    if kind == "classes":
        yield from _classes(material, ids)
    elif kind == "scored":
        yield from _scored(material, ids, negatives, seed, graded=loss in GRADED)
    else:
        least = 1 if loss in NEEDS_NEGATIVES else 0
        yield from _ranked(material, ids, negatives, max(wanted, least), seed)


def _ranked(
    material: Material, ids: list[str], negatives: Mapping[str, list[str]], wanted: int, seed: int
) -> Iterator[Row]:
    draw = random.Random(seed)
    everything = list(material.passages)
    for id in ids:
        question = material.questions[id]
        relevant = frozenset(question.relevant)
        wrong = [name for name in question.refused if name not in relevant]
        wrong += [name for name in negatives.get(id, []) if name not in wrong]
        while len(wrong) < wanted:
            # What nothing was found for gets any other passage, so that all rows are alike.
            wrong.append(_other(draw, everything, relevant | {id}))
        for passage in question.relevant:
            names = (passage, *wrong[:wanted])
            texts = (question.text, *(material.passages[name].whole for name in names))
            yield Row(id, texts, names, relevant)


def _other(draw: random.Random, everything: list[str], relevant: frozenset[str]) -> str:
    name = draw.choice(everything)
    for _ in range(20):
        if name not in relevant:
            break
        name = draw.choice(everything)
    return name


def _scored(
    material: Material,
    ids: list[str],
    negatives: Mapping[str, list[str]],
    seed: int,
    *,
    graded: bool,
) -> Iterator[Row]:
    draw = random.Random(seed)
    everything = list(material.passages)
    for id in ids:
        question = material.questions[id]
        wrong = question.refused or negatives.get(id, [])
        if not wrong and not _rated(material, id):
            wrong = [_other(draw, everything, frozenset({*question.relevant, id}))]
        for name in (*question.relevant, *wrong[: max(1, len(question.relevant))]):
            sure = 1.0 if name in question.relevant else 0.0
            score = material.scores.get((id, name), sure) if graded else sure
            yield Row(id, (question.text, material.passages[name].whole), (name,), label=score)


def _rated(material: Material, id: str) -> bool:
    return material.shape in ("scored", "labelled") and bool(material.questions[id].refused)


def _classes(material: Material, ids: list[str]) -> Iterator[Row]:
    """Texts with the number of their class; a question and its passages are a class elsewhere."""
    if material.labels:
        numbers = {label: at for at, label in enumerate(sorted(set(material.labels.values())))}
        for id in ids:
            yield Row(
                id,
                (material.questions[id].text,),
                label=float(numbers[material.labels[id]]),
            )
        return
    number = count()
    for id in ids:
        question, label = material.questions[id], float(next(number))
        yield Row(id, (question.text,), label=label)
        for name in question.relevant:
            yield Row(id, (material.passages[name].whole,), label=label)

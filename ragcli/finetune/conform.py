"""Turns questions and passages into the rows that a loss wants, whatever shape the data had."""

from __future__ import annotations

import random
from collections.abc import Container, Iterable, Iterator, Mapping

from ragcli.finetune import classes
from ragcli.finetune.losses import GRADED, LOSSES
from ragcli.finetune.material import RATED, Material, Row


def rows(
    material: Material,
    train: Iterable[str],
    negatives: Mapping[str, list[str]],
    loss: str,
    wanted: int,
    seed: int,
) -> Iterator[Row]:
    """The rows to train on; `wanted` negatives in each where the loss ranks.

    Of triplets each negative of their own is in one row; of rated pairs each pair is one.
    """
    ids = list(train)
    kind = LOSSES[loss]
    if material.labels:
        yield from classes.rows(material, ids, kind, wanted, seed)
    elif kind == "classes":
        yield from _classes(material, ids)
    elif kind == "scored":
        yield from _scored(material, ids, negatives, seed, graded=loss in GRADED)
    else:
        yield from _ranked(material, ids, negatives, wanted, seed)


def _ranked(
    material: Material, ids: list[str], negatives: Mapping[str, list[str]], wanted: int, seed: int
) -> Iterator[Row]:
    draw = random.Random(seed)
    everything = list(material.passages)
    for id in ids:
        question = material.questions[id]
        relevant = frozenset(question.relevant)
        own = [name for name in question.refused if name not in relevant]
        spare = [name for name in negatives.get(id, []) if name not in own]
        portions = [own[:wanted]]
        if material.shape == "triplets" and wanted:
            # Each wrong answer that the data names is in a row.
            portions = [own[at : at + wanted] for at in range(0, len(own), wanted)] or [[]]
        right = list(question.relevant)
        for at in range(max(len(right), len(portions)) if right else 0):
            wrong = [*portions[at % len(portions)], *spare][:wanted]
            while len(wrong) < wanted:
                # What nothing was found for gets any other passage, so that all rows are alike.
                wrong.append(_other(draw, everything, relevant | {id}))
            names = (right[at % len(right)], *wrong)
            texts = (question.text, *(material.passages[name].whole for name in names))
            yield Row(id, texts, names, relevant)


def _other(draw: random.Random, everything: list[str], known: Container[str]) -> str:
    name = draw.choice(everything)
    for _ in range(20):
        if name not in known:
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
        wrong = question.refused
        if material.shape not in RATED:
            # What nobody rated is told apart from as many wrong answers as there are right ones.
            wrong = wrong or negatives.get(id, [])
            wrong = wrong or [_other(draw, everything, {*question.relevant, id})]
            wrong = wrong[: max(1, len(question.relevant))]
        for name in dict.fromkeys((*question.relevant, *wrong)):
            sure = 1.0 if name in question.relevant else 0.0
            score = material.scores.get((id, name), sure) if graded else sure
            yield Row(id, (question.text, material.passages[name].whole), (name,), label=score)


def _classes(material: Material, ids: list[str]) -> Iterator[Row]:
    """A question and its passages are a class."""
    for number, id in enumerate(ids):
        question = material.questions[id]
        yield Row(id, (question.text,), label=float(number))
        for name in question.relevant:
            yield Row(id, (material.passages[name].whole,), label=float(number))

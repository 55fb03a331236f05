"""Turns texts with a class into the rows that a loss wants. Texts that judge stand in none of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from ragcli.finetune.losses import Wants
from ragcli.finetune.material import Material, Question, Row

MATES = 5
"""Texts of its class that one is put beside; a batch sampler draws among as many in each epoch."""
TRIES = 20


def rows(
    material: Material, ids: Sequence[str], kind: Wants, wanted: int, seed: int
) -> Iterator[Row]:
    """The rows for these texts; `wanted` texts of other classes in each where the loss ranks."""
    if kind == "classes":
        yield from _numbered(material, ids)
        return
    draw = random.Random(seed)
    for id, mates in _mates(material, ids, draw):
        for mate in mates:
            if kind == "scored":
                yield _pair(material, id, mate, 1.0)
                yield _pair(material, id, _stranger(material, ids, id, draw), 0.0)
            else:
                others = [_stranger(material, ids, id, draw) for _ in range(wanted)]
                yield _ranked(material, id, (mate, *others))


def beside(material: Material, ids: Sequence[str]) -> dict[str, Question]:
    """These texts as questions, answered by a few others among them that are of their class."""
    draw = random.Random(len(ids))
    return {
        id: Question(material.questions[id].text, dict.fromkeys(mates, 1))
        for id, mates in _mates(material, ids, draw)
    }


def _mates(
    material: Material, ids: Sequence[str], draw: random.Random
) -> Iterator[tuple[str, list[str]]]:
    members: dict[str, list[str]] = {}
    for id in ids:
        members.setdefault(material.labels[id], []).append(id)
    for id in ids:
        those = members[material.labels[id]]
        drawn = draw.sample(those, min(MATES + 1, len(those)))
        yield id, [name for name in drawn if name != id][:MATES]


def _numbered(material: Material, ids: Sequence[str]) -> Iterator[Row]:
    numbers = {label: at for at, label in enumerate(sorted(set(material.labels.values())))}
    for id in ids:
        number = float(numbers[material.labels[id]])
        yield Row(id, (material.questions[id].text,), label=number)


def _pair(material: Material, id: str, other: str, label: float) -> Row:
    texts = (material.questions[id].text, material.questions[other].text)
    return Row(id, texts, (other,), label=label)


def _ranked(material: Material, id: str, names: tuple[str, ...]) -> Row:
    """In a batch all texts of a class answer one another: classes stand for the passages."""
    texts = tuple(material.questions[name].text for name in (id, *names))
    kinds = tuple(_kind(material, name) for name in names)
    return Row(id, texts, kinds, frozenset({_kind(material, id)}))


def _kind(material: Material, name: str) -> str:
    return f"class {material.labels[name]}"


def _stranger(material: Material, ids: Sequence[str], id: str, draw: random.Random) -> str:
    """A text of another class; where nearly all are of one, perhaps any."""
    name = draw.choice(ids)
    for _ in range(TRIES):
        if material.labels[name] != material.labels[id]:
            break
        name = draw.choice(ids)
    return name

"""Splits questions into those to train on, to develop with and to judge by, document by document.

Questions whose documents are linked stay together; where nearly all are linked, that is not
possible, and the split is by question. A development part is like the part that judges: where
that one is about documents that are also trained on, so is it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from ragcli.errors import UsageError
from ragcli.finetune.material import RATED, Material

TEST, DEVELOPMENT = 0.2, 0.1
MOST_TEST, MOST_DEVELOPMENT = 1000, 300
NEW = 1 / 3
"""Of development questions that share documents with training ones, so many at least do not."""
LINKED = 0.3
"""A cluster of linked questions with more than this share of all is cut by question; so are all
where more than this share of the judging questions is linked to them."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Question ids; `seen` are the test questions of which a document is also trained on, `apart`
    the development questions of which none is.
    """

    train: tuple[str, ...]
    development: tuple[str, ...]
    test: tuple[str, ...]
    seen: frozenset[str]
    apart: frozenset[str]
    by_document: bool

    @property
    def unseen(self) -> frozenset[str]:
        """The test questions whose documents were never trained on."""
        return frozenset(self.test) - self.seen


def split(material: Material, seed: int, *, judged: bool = False) -> Parts:
    """Split; a test part that the data brings along stays what it is, and is not asked where others
    judge (`judged`). Raises UsageError if too small.
    """
    open_questions = [
        id
        for id, question in material.questions.items()
        if id not in material.test and question.relevant
    ]
    clusters = _clusters(material, open_questions)
    whole = max(map(len, clusters), default=0) <= LINKED * len(open_questions)
    if not whole:
        clusters = [[id] for id in open_questions]
    test = sorted(id for id in material.test if material.questions[id].relevant and not judged)
    draw = random.Random(seed)
    draw.shuffle(clusters)
    if not test and not judged:
        wanted = min(round(TEST * len(open_questions)), MOST_TEST)
        test, clusters = _take(clusters, wanted)
    wanted = max(1, min(round(DEVELOPMENT * len(open_questions)), MOST_DEVELOPMENT))
    if whole and _shared(material, test, chain.from_iterable(clusters)) > LINKED:
        whole = False
        development, clusters = _take_mixed(clusters, wanted, draw)
    else:
        development, clusters = _take(clusters, wanted)
    train = [id for cluster in clusters for id in cluster]
    train += _only_refused(material)
    if not train or not (test or judged):
        raise UsageError(
            f"{material.name} leaves {len(train)} questions to train on and {len(test)} to judge by.",
            "Add examples of other documents.",
        )
    seen = _seen(material, test, train)
    apart = frozenset(development) - _seen(material, development, train)
    return Parts(tuple(train), tuple(development), tuple(test), seen, apart, whole)


def _only_refused(material: Material) -> list[str]:
    """Rated questions without an answer: nothing can be judged by them, but their scores can be learned."""
    if material.shape not in RATED:
        return []
    return [id for id, question in material.questions.items() if not question.relevant]


def _seen(material: Material, ids: Iterable[str], train: Iterable[str]) -> frozenset[str]:
    """The questions of which a document is also trained on."""
    trained = material.documents(train)
    return frozenset(id for id in ids if material.documents([id]) & trained)


def _shared(material: Material, test: list[str], train: Iterable[str]) -> float:
    return len(_seen(material, test, train)) / max(1, len(test))


def _take(clusters: list[list[str]], wanted: int) -> tuple[list[str], list[list[str]]]:
    taken: list[str] = []
    at = 0
    while len(taken) < wanted and at < len(clusters) - 1:
        taken += clusters[at]
        at += 1
    return taken, clusters[at:]


def _take_mixed(
    clusters: list[list[str]], wanted: int, draw: random.Random
) -> tuple[list[str], list[list[str]]]:
    """Whole clusters for the `NEW` part, the others question by question."""
    new, clusters = _take(clusters, round(NEW * wanted))
    singles = [[id] for cluster in clusters for id in cluster]
    draw.shuffle(singles)
    others, rest = _take(singles, wanted - len(new))
    return new + others, rest


def _clusters(material: Material, ids: list[str]) -> list[list[str]]:
    """Questions linked by a document of theirs, in the order in which they came (union-find)."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for id in ids:
        for document in sorted(material.documents([id])):
            parent[root(f"d{document}")] = root(f"q{id}")
    found: dict[str, list[str]] = {}
    for id in ids:
        found.setdefault(root(f"q{id}"), []).append(id)
    return list(found.values())

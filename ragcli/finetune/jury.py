"""Judges by a question set that the user names, asked as `evaluate` asks it, in a copy of the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.errors import UsageError
from ragcli.evaluate.gold import Gold, resolve
from ragcli.evaluate.metrics import DEPTH
from ragcli.evaluate.questions import Item, QuestionSet
from ragcli.finetune.ground import Ground
from ragcli.finetune.material import Material
from ragcli.finetune.proof import MODES, Values
from ragcli.finetune.scores import ndcg
from ragcli.finetune.split import Parts
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import search_many
from ragcli.settings import Retrieval

LEAST = 10
GOOD = 50
"""Questions from which on a verdict can be expected."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Jury:
    """Questions with what each should find in a corpus; `seen` are about documents that are trained on.

    Where the data does not say what documents its passages are of, `told_apart` is False, and all
    count as unseen.
    """

    ground: Ground
    items: tuple[Item, ...]
    golds: Mapping[str, Gold]
    seen: frozenset[str]
    told_apart: bool = True

    def measure(self, embedder: Any, retrieval: Retrieval) -> Values:
        """nDCG@10 by mode and question: of documents where whole ones are expected, else of chunks."""
        values: Values = {}
        for mode in MODES:
            chosen = retrieval.model_copy(update={"mode": mode, "top_k": DEPTH, "min_score": None})
            values[mode] = {}
            for whole in (True, False):
                asked = [item for item in self.items if item.by_document == whole]
                options = RetrievalOptions.of(chosen, by="document" if whole else "chunk")
                texts = (item.text for item in asked)
                results = search_many(self.ground.collection, lambda: embedder, texts, options)
                for item, result in zip(asked, results, strict=True):
                    gold = self.golds[item.id]
                    values[mode][item.id] = ndcg(gold.ranking(result.hits), gold.grades)
        return values


def refuse_few(asked: QuestionSet, items: Sequence[Item]) -> None:
    """Raise UsageError where a set has too few of these questions to judge by."""
    if len(items) < LEAST:
        raise UsageError(
            f"{asked.name} has {len(items)} questions to judge by, of at least {LEAST}.",
            f"Add questions with the document that answers each; {GOOD} make a verdict likely.",
        )


def summon(
    asked: QuestionSet,
    ground: Ground,
    material: Material,
    parts: Parts,
    warn: Callable[[str], None],
) -> Jury:
    """The questions of the set that the corpus can answer and that are not trained on.

    Raises UsageError for a set with too few of them.
    """
    # As `evaluate` does: paths in a set are those below its folder or the working directory.
    folders = [asked.path.absolute().parent, Path.cwd()]
    golds, problems = resolve(asked.items, ground.collection.ledger, folders)
    met = {*parts.train, *parts.development}
    known = {material.questions[id].text.casefold().strip() for id in met}
    usable = [item for item in asked.items if _can_be_found(golds[item.id])]
    items = tuple(item for item in usable if item.text.casefold().strip() not in known)
    wrong = [str(problem) for problem in (*asked.problems, *problems)]
    for problem in wrong[:SHOWN]:
        warn(problem)
    if len(wrong) > SHOWN:
        warn(f"{len(wrong) - SHOWN} more lines like these; `ragcli evaluate` shows them.")
    if len(items) < len(usable):
        warn(f"{len(usable) - len(items)} questions are also trained on: they do not judge.")
    refuse_few(asked, items)
    known_documents = material.shape in ("documents", "beir") or "document" in material.columns
    seen = seen_among(items, golds, material, parts.train) if known_documents else frozenset[str]()
    return Jury(ground, items, golds, seen, known_documents)


def _can_be_found(gold: Gold) -> bool:
    return any(target.documents for target in gold.targets) or bool(
        gold.answers and not gold.targets
    )


def seen_among(
    items: Collection[Item],
    golds: Mapping[str, Gold],
    material: Material,
    train: Collection[str],
) -> frozenset[str]:
    """Made questions know documents by their number in the ledger, others by name or path in the data."""
    trained = material.documents(train)
    if material.shape == "documents":
        return frozenset(
            item.id
            for item in items
            if trained & {str(id) for target in golds[item.id].targets for id in target.documents}
        )
    ends = {end for name in trained for end in _ends(name)}
    return frozenset(
        item.id
        for item in items
        if any(
            place.document in ends or not trained.isdisjoint(_ends(place.document))
            for place in item.expected
        )
    )


def _ends(path: str) -> Iterator[str]:
    """A path and what is left of it without its first folders: a set may name a file by any of these."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path

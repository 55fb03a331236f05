"""Judges by a question set that the user names, asked as `evaluate` asks it, in a copy of the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.errors import UsageError
from ragcli.evaluate.gold import Gold, resolve
from ragcli.evaluate.questions import Item, QuestionSet
from ragcli.finetune.ground import Ground
from ragcli.finetune.material import Material
from ragcli.finetune.proof import MODES, Values
from ragcli.finetune.scores import DEPTH, ndcg
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import search_many
from ragcli.settings import Retrieval

LEAST = 10
GOOD = 50
"""Questions from which on a verdict can be expected."""


@dataclass(frozen=True, slots=True)
class Jury:
    """Questions with what each should find; `seen` are those about documents that are trained on."""

    items: tuple[Item, ...]
    golds: Mapping[str, Gold]
    seen: frozenset[str]

    def measure(self, ground: Ground, embedder: Any, retrieval: Retrieval) -> Values:
        """nDCG@10 by mode and question: of documents where whole ones are expected, else of chunks."""
        values: Values = {}
        for mode in MODES:
            chosen = retrieval.model_copy(update={"mode": mode, "top_k": DEPTH, "min_score": None})
            values[mode] = {}
            for whole in (True, False):
                asked = [item for item in self.items if item.by_document == whole]
                options = RetrievalOptions.of(chosen, by="document" if whole else "chunk")
                texts = (item.text for item in asked)
                results = search_many(ground.collection, lambda: embedder, texts, options)
                for item, result in zip(asked, results, strict=True):
                    gold = self.golds[item.id]
                    values[mode][item.id] = ndcg(gold.ranking(result.hits), gold.grades)
        return values


def summon(
    asked: QuestionSet,
    ground: Ground,
    material: Material,
    trained: Collection[str],
    warn: Callable[[str], None],
) -> Jury:
    """The questions of the set that the collection can answer and that are not trained on.

    Raises UsageError for a set with too few of them.
    """
    # As `evaluate` does: paths in a set are those below its folder or the working directory.
    folders = [asked.path.absolute().parent, Path.cwd()]
    golds, problems = resolve(asked.items, ground.collection.ledger, folders)
    known = {material.questions[id].text.casefold().strip() for id in trained}
    usable = [item for item in asked.items if _can_be_found(golds[item.id])]
    items = tuple(item for item in usable if item.text.casefold().strip() not in known)
    for problem in (*asked.problems, *problems):
        warn(str(problem))
    if len(items) < len(usable):
        warn(f"{len(usable) - len(items)} questions are also trained on: they do not judge.")
    if len(items) < LEAST:
        raise UsageError(
            f"{asked.name} has {len(items)} questions to judge by, of at least {LEAST}.",
            f"Add questions with the document that answers each; {GOOD} make a verdict likely.",
        )
    return Jury(items, golds, _seen(items, golds, material, trained))


def _can_be_found(gold: Gold) -> bool:
    return any(target.documents for target in gold.targets) or bool(
        gold.answers and not gold.targets
    )


def _seen(
    items: Collection[Item],
    golds: Mapping[str, Gold],
    material: Material,
    trained: Collection[str],
) -> frozenset[str]:
    names = {
        material.passages[passage].document
        for id in trained
        for passage in material.questions[id].relevant
    }

    def met(item: Item) -> bool:
        documents = {str(id) for target in golds[item.id].targets for id in target.documents}
        return bool(names & (documents | {place.document for place in item.expected}))

    return frozenset(item.id for item in items if met(item))

"""Asks the questions of a set as the command line would, and measures what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ragcli.evaluate.gold import Gold
from ragcli.evaluate.metrics import Measure, Values, mean, per_question
from ragcli.evaluate.questions import Item
from ragcli.evaluate.timing import timed

if TYPE_CHECKING:
    from ragcli.index.collection import Collection
    from ragcli.retrieve.options import RetrievalOptions
    from ragcli.retrieve.rerank import Reranker
    from ragcli.retrieve.search import QueryEmbedder


@dataclass(slots=True)
class Measured:
    """What one way to search found: values by measure and question.

    `ranks` has the rank of the first thing found for each question, None where nothing was;
    `milliseconds` what single searches took, for a sample of the questions.
    """

    values: Values
    milliseconds: dict[str, float] = field(default_factory=dict)
    ranks: dict[str, int | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def means(self) -> dict[str, float]:
        """Each measure over all questions."""
        return {name: mean(values) for name, values in self.values.items() if values}


def measure(
    collection: Collection,
    embedder: Callable[[], QueryEmbedder],
    items: Sequence[Item],
    golds: Mapping[str, Gold],
    options: RetrievalOptions,
    measures: Sequence[Measure],
    advance: Callable[[], None],
    reranker: Callable[[], Reranker] | None = None,
) -> Measured:
    """Search for every question that expects something, as deep as the measures look.

    Questions that expect whole documents are searched by document, the others by chunk. Many are
    embedded together here, so how long a search takes is measured by others, one at a time.
    """
    from ragcli.retrieve.search import search_many

    depth = max(options.top_k, *(one.depth for one in measures))
    rankings: dict[str, list[str]] = {}
    measured = Measured({})
    for by_document in (True, False):
        asked = [
            item for item in items if item.by_document == by_document and golds[item.id].grades
        ]
        deep = replace(options, top_k=depth, by="document" if by_document else "chunk")
        results = search_many(collection, embedder, (item.text for item in asked), deep, reranker)
        for item, result in zip(asked, results, strict=True):
            rankings[item.id] = golds[item.id].ranking(result.hits)
            measured.warnings += [
                warning for warning in result.warnings if warning not in measured.warnings
            ]
            advance()
    relevant = {id: golds[id].grades for id in rankings}
    measured.values = per_question(rankings, relevant, measures)
    measured.ranks = {id: _first(names, relevant[id]) for id, names in rankings.items()}
    found = [item for item in items if item.id in rankings]
    measured.milliseconds = timed(collection, embedder, found, options, reranker)
    return measured


def _first(names: Sequence[str], relevant: Mapping[str, int]) -> int | None:
    return next((rank for rank, name in enumerate(names, 1) if name in relevant), None)

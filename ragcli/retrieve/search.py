"""From a question to hits: filter, ask both indexes, fuse, collapse duplicates, give reasons.

The one way to search; the command line and the LangChain retriever both come through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from ragcli.index.collection import Collection
from ragcli.index.rows import Coverage, Selection
from ragcli.retrieve.explain import why
from ragcli.retrieve.fusion import fuse
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.ranking import Ranked, rank
from ragcli.retrieve.reach import out_of_reach
from ragcli.retrieve.rerank import Reranker, rerank
from ragcli.retrieve.sides import Side, complete, dense_side, lexical_side
from ragcli.types import Hit

if TYPE_CHECKING:
    import numpy as np

BATCH = 64
WIDER = 4
DEEPEST = 10_000
_WORD = re.compile(r"[^\W_]")


class QueryEmbedder(Protocol):
    """The part of an embedder that a search needs."""

    truncated: list[int]

    def encode(self, texts: list[str], *, query: bool = False) -> np.ndarray:
        """Unit vectors of the texts, shape (n, dimension)."""
        ...


@dataclass(slots=True)
class SearchResult:
    """The hits of one question, best first, and how they came about.

    `timings_ms` has `embed`, `lexical`, `dense`, `total`, and `rerank` where that was done; in a
    batch, `embed` is this question's share of its batch.
    """

    hits: list[Hit]
    timings_ms: dict[str, float] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=lambda: Coverage(0, 0))
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all questions of one call share."""

    collection: Collection
    options: RetrievalOptions
    allowed: Selection | None
    coverage: Coverage
    warnings: list[str]
    reranker: Callable[[], Reranker] | None

    def said(self, more: list[str]) -> list[str]:
        """All warnings, with those that the indexes gave when they were asked."""
        return [*self.collection.warnings, *self.warnings, *more]

    @property
    def wanted(self) -> int:
        """Hits that are needed before the last cut."""
        more = 0 if self.reranker is None else self.options.rerank_depth
        return max(self.options.top_k, more)

    @property
    def dense(self) -> bool:
        return self.options.mode != "lexical" and self.coverage.embedded > 0

    @property
    def lexical(self) -> bool:
        return self.options.mode != "dense" and self.collection.words


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with its vector (None where only words are compared)."""

    text: str
    vector: np.ndarray | None
    embed_ms: float
    cut: bool


def search(
    collection: Collection,
    embedder: Callable[[], QueryEmbedder],
    question: str,
    options: RetrievalOptions,
    reranker: Callable[[], Reranker] | None = None,
) -> SearchResult:
    """The hits for one question.

    `embedder` and `reranker` are called only when there is something to embed or to rerank.
    """
    return next(search_many(collection, embedder, [question], options, reranker))


def search_many(
    collection: Collection,
    embedder: Callable[[], QueryEmbedder],
    questions: Iterable[str],
    options: RetrievalOptions,
    reranker: Callable[[], Reranker] | None = None,
) -> Iterator[SearchResult]:
    """The hits for each question, in order; questions are embedded many at a time."""
    scene = _scene(collection, options, reranker)
    waiting = iter(questions)
    while batch := list(islice(waiting, BATCH)):
        for asked in _embedded(scene, embedder, batch):
            yield _answer(scene, asked)


def _scene(
    collection: Collection, options: RetrievalOptions, reranker: Callable[[], Reranker] | None
) -> _Scene:
    coverage = collection.ledger.coverage()
    _open_indexes(collection, coverage, options)
    selection = options.filter.select(collection.ledger, options.cwd) if options.filter else None
    return _Scene(
        collection,
        options,
        selection,
        coverage,
        out_of_reach(coverage, options, selection),
        reranker,
    )


def _open_indexes(collection: Collection, coverage: Coverage, options: RetrievalOptions) -> None:
    """Indexes are opened when first asked for, and only then warn of what is wrong with them."""
    if options.mode == "lexical" or (options.mode == "hybrid" and collection.words):
        _ = collection.lexical
    if options.mode != "lexical" and coverage.embedded:
        _ = collection.dense


def _embedded(
    scene: _Scene, embedder: Callable[[], QueryEmbedder], questions: list[str]
) -> Iterator[_Asked]:
    start = perf_counter()
    meant = [at for at, text in enumerate(questions) if _WORD.search(text)] if scene.dense else []
    vectors, cut = {}, set[int]()
    if meant:
        model = embedder()
        found = model.encode([questions[at] for at in meant], query=True)
        vectors = dict(zip(meant, found, strict=True))
        cut = {meant[at] for at in model.truncated}
    share = (perf_counter() - start) * 1000 / len(questions)
    for at, text in enumerate(questions):
        yield _Asked(text, vectors.get(at), share, at in cut)


def _answer(scene: _Scene, asked: _Asked) -> SearchResult:
    start = perf_counter()
    warnings: list[str] = []
    if not _WORD.search(asked.text):
        warnings.append("The question has no words to look for.")
        nothing = dict.fromkeys(("embed", "lexical", "dense", "total"), 0.0)
        return SearchResult([], nothing, scene.coverage, scene.said(warnings))
    if asked.cut:
        warnings.append(
            "The question is longer than the embedder reads: its end is compared by words only."
        )
    ranked, words, timings = _deepening(scene, asked)
    if scene.reranker is not None and ranked:
        began = perf_counter()
        ranked = rerank(ranked, asked.text, scene.reranker(), scene.options.rerank_depth)
        timings["rerank"] = (perf_counter() - began) * 1000
    hits = _hits(scene, asked, ranked, words)
    timings["total"] = asked.embed_ms + (perf_counter() - start) * 1000
    timings = {name: round(spent, 1) for name, spent in timings.items()}
    return SearchResult(hits, timings, scene.coverage, scene.said(warnings))


def _deepening(scene: _Scene, asked: _Asked) -> tuple[list[Ranked], Side | None, dict[str, float]]:
    """Search deeper until there are enough: filters and duplicates may leave too few.

    Also what words found, and the milliseconds spent.
    """
    depth = max(scene.options.candidates, scene.wanted)
    spent = {"embed": asked.embed_ms, "lexical": 0.0, "dense": 0.0}
    while True:
        dense, lexical = _sides(scene, asked, depth)
        spent["dense"] += dense.milliseconds if dense else 0
        spent["lexical"] += lexical.milliseconds if lexical else 0
        ranked = _ranked(scene, dense, lexical)
        exhausted = all(side.exhausted for side in (dense, lexical) if side)
        if len(ranked) >= scene.wanted or exhausted or depth >= DEEPEST:
            return ranked, lexical, spent
        depth = min(depth * WIDER, DEEPEST)


def _sides(scene: _Scene, asked: _Asked, depth: int) -> tuple[Side | None, Side | None]:
    dense = lexical = None
    if asked.vector is not None:
        dense = dense_side(scene.collection, asked.vector, depth, scene.allowed)
    if scene.lexical:
        lexical = lexical_side(scene.collection, asked.text, depth, scene.allowed)
    if dense and lexical and asked.vector is not None:
        complete(scene.collection, asked.text, asked.vector, dense, lexical)
    return dense, lexical


def _ranked(scene: _Scene, dense: Side | None, lexical: Side | None) -> list[Ranked]:
    options = scene.options
    fused = fuse(
        dense.scores if dense else None,
        lexical.scores if lexical else None,
        ceiling=lexical.ceiling if lexical else 0.0,
        dense_weight=options.dense_weight,
    )
    chunks = scene.collection.ledger.chunks([hit.key for hit in fused])
    return rank(fused, chunks, dense, lexical, options, scene.wanted)


def _hits(scene: _Scene, asked: _Asked, ranked: list[Ranked], lexical: Side | None) -> list[Hit]:
    least = scene.options.min_score
    chosen = [
        item for item in ranked[: scene.options.top_k] if least is None or item.hit.score >= least
    ]
    if scene.options.explain:
        ceiling = lexical.ceiling if lexical else 0.0
        for item in chosen:
            item.hit.why = why(
                item.hit,
                asked.text,
                scene.collection.stems,
                ceiling=ceiling,
                more=item.more,
            )
    return [item.hit for item in chosen]

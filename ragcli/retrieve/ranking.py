"""Turns fused scores into hits: duplicates collapsed, and one hit a document where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragcli.retrieve.duplicates import collapse
from ragcli.retrieve.fusion import Fused, fuse
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.sides import Side
from ragcli.types import Hit, StoredChunk


@dataclass(slots=True)
class Ranked:
    """A hit, and how many further hits of its document it stands before."""

    hit: Hit
    more: int = 0


def rank(
    fused: Sequence[Fused],
    chunks: Mapping[int, StoredChunk],
    dense: Side | None,
    lexical: Side | None,
    options: RetrievalOptions,
    most: int,
) -> list[Ranked]:
    """At least `most` hits where there are as many, best first; chunks that are gone are left out."""
    present = [item for item in fused if item.key in chunks]
    wanted = most if options.by == "chunk" else None
    groups = collapse([chunks[item.key].text for item in present], options.collapse, wanted)
    ranked = []
    for group in groups:
        item = present[group.first]
        copies = [chunks[present[at].key] for at in group.copies]
        hit = Hit(
            chunk=chunks[item.key],
            score=item.score,
            dense=item.dense,
            lexical=item.lexical,
            dense_rank=dense.ranks.get(item.key) if dense else None,
            lexical_rank=lexical.ranks.get(item.key) if lexical else None,
            copies=list(dict.fromkeys(copy.path for copy in copies)),
        )
        ranked.append(Ranked(hit))
    if options.by == "chunk":
        return ranked
    return _by_document(ranked, dense, lexical, options.dense_weight)


def _by_document(
    ranked: Sequence[Ranked], dense: Side | None, lexical: Side | None, dense_weight: float
) -> list[Ranked]:
    """The best hit of each document, with the score that the document has as a whole.

    A document is worth the best cosine and the best BM25 of its hits, fused: one chunk may mean
    what was asked and another say it.
    """
    first: dict[int, Ranked] = {}
    cosines: dict[int, float] = {}
    words: dict[int, float] = {}
    for item in ranked:
        document, hit = item.hit.chunk.document, item.hit
        best = first.setdefault(document, item)
        best.more += best is not item
        for side, score in ((cosines, hit.dense), (words, hit.lexical)):
            if score is not None:
                side[document] = max(score, side.get(document, score))
    for whole in fuse(
        cosines if dense else None,
        words if lexical else None,
        ceiling=lexical.ceiling if lexical else 0.0,
        dense_weight=dense_weight,
    ):
        hit = first[whole.key].hit
        hit.score, hit.dense, hit.lexical = whole.score, whole.dense, whole.lexical
    return sorted(first.values(), key=lambda item: (-item.hit.score, item.hit.chunk.key))

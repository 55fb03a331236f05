"""Turns fused scores into hits: duplicates collapsed, and one hit a document where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragcli.retrieve.duplicates import collapse
from ragcli.retrieve.fusion import Fused
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
) -> list[Ranked]:
    """All hits, best first; chunks that are gone by now are left out."""
    present = [item for item in fused if item.key in chunks]
    wanted = options.top_k if options.by == "chunk" else None
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
    return _by_document(ranked) if options.by == "document" else ranked


def _by_document(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The best hit of each document: a document is worth what its best chunk is."""
    best: dict[int, Ranked] = {}
    for item in ranked:
        first = best.setdefault(item.hit.chunk.document, item)
        if first is not item:
            first.more += 1
    return list(best.values())

"""Hits made by hand, and a retriever that returns them."""

from __future__ import annotations

from pathlib import Path

from langchain_core.retrievers import BaseRetriever

from ragcli.retrieve.retriever import document_of
from ragcli.types import Hit, Span, StoredChunk

GOLDEN = Path(__file__).with_name("golden")


def chunk(text, key=1, *, title=None, heading=(), spans=None, format="markdown"):
    """A stored chunk whose lines are counted from 1 unless `spans` are given."""
    if spans is None:
        offsets = [0] + [at + 1 for at, c in enumerate(text) if c == "\n"]
        spans = [Span(at, None, None, (n, n)) for n, at in enumerate(offsets, 1)]
    return StoredChunk(
        key, f"id-{key}", key, 0, text, tuple(heading), tuple(spans), len(text.split()),
        f"/docs/{key}.md", format, title, None, None, "line", {},
    )  # fmt: skip


def hit(text, key=1, *, score=0.6, dense=0.6, lexical=8.0, **place):
    return Hit(chunk(text, key, **place), score, dense=dense, lexical=lexical)


class Given(BaseRetriever):
    """Retrieves the hits that it was given."""

    hits: list

    def _get_relevant_documents(self, query, *, run_manager):
        return [document_of(one) for one in self.hits]

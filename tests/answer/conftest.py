"""Hits made by hand, and a real collection of four invented documents with the default embedder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from langchain_core.retrievers import BaseRetriever

from ragcli.answer.chain import answer
from ragcli.answer.quote import Options, build
from ragcli.embedders import build as build_embedder
from ragcli.embedders import describe
from ragcli.index.collection import Collection
from ragcli.ingest.run import ingest
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.retriever import CollectionRetriever, document_of
from ragcli.settings import Settings
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


@pytest.fixture
def ask():
    """Ask a question of hits made by hand; sentences are compared by their words alone."""

    def asked(question, *hits, embedder=None, **options):
        chain = build(Options(**options), embedder)
        return answer(question, Given(hits=list(hits)), chain)

    return asked


@pytest.fixture(scope="session")
def embedder(tmp_path_factory):
    """The default embedder, converted once for all test processes of a run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    cache = shared / "shared-cache" / "ragcli"
    cache.mkdir(parents=True, exist_ok=True)
    return build_embedder(Settings().embedder, cache, offline=True), cache


class Silent:
    """Progress that nobody watches."""

    def phase(self, name, total):
        pass

    def advance(self, n=1, note=""):
        pass

    def message(self, text):
        pass


@pytest.fixture(scope="session")
def golden(tmp_path_factory, embedder):
    """A retriever over the invented documents."""
    model, cache = embedder
    settings = Settings()
    info = describe(settings.embedder, cache, offline=True)
    folder = tmp_path_factory.mktemp("golden")
    with Collection.open(folder, "default", settings, create=True) as collection:
        report = ingest(
            collection, [GOLDEN / "documents"], settings,
            embedder_info=info, build_embedder=lambda: model, progress=Silent(),
        )  # fmt: skip
        assert report.added == 4
        yield CollectionRetriever(
            collection=collection,
            embedder=lambda: model,
            options=RetrievalOptions.of(settings.retrieval),
        )

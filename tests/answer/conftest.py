"""Asking hits made by hand, and a real collection of four invented documents with the default embedder."""

from __future__ import annotations

import os

import pytest
from handmade import GOLDEN, Given

from ragcli.answer.chain import answer
from ragcli.answer.quote import Options, build
from ragcli.embedders import build as build_embedder
from ragcli.embedders import describe
from ragcli.index.collection import Collection
from ragcli.ingest.run import ingest
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.retriever import CollectionRetriever
from ragcli.settings import Settings


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

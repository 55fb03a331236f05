"""A real collection in a temporary folder, and a small deterministic embedder to fill it with."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from ragcli.index.collection import Collection
from ragcli.index.rows import FileFacts
from ragcli.settings import Settings
from ragcli.types import Chunk, Span, SplitDocument

DIMENSION = 64
READS = 50


class BagOfWords:
    """Hashes words into a few dimensions: texts that share words are near each other."""

    def __init__(self) -> None:
        self.truncated: list[int] = []
        self.calls: list[int] = []

    def encode(self, texts: list[str], *, query: bool = False) -> np.ndarray:
        self.calls.append(len(texts))
        self.truncated = []
        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        for row, text in enumerate(texts):
            words = re.findall(r"\w+", text.lower())
            if len(words) > READS:
                self.truncated.append(row)
            for word in words[:READS]:
                vectors[row, zlib.crc32(word.encode()) % DIMENSION] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


class Library:
    """Adds files to a collection, and embeds them when told to."""

    def __init__(self, collection: Collection, embedder: BagOfWords) -> None:
        self.collection = collection
        self.embedder = embedder

    def add(self, path: str, *texts: str, title: str | None = None, heading=(), page=None) -> None:
        chunks = [
            Chunk(text, tuple(heading), (Span(0, page, None, (at + 1, at + 1)),), 5)
            for at, text in enumerate(texts)
        ]
        ledger = self.collection.ledger
        facts = FileFacts(path, None, 1, 1, path, Path(path).suffix[1:] or "text", "text/1")
        staged = ledger.stage(facts)
        ledger.add_document(staged, SplitDocument(chunks, title=title))
        ledger.publish(staged)

    def embed(self, limit: int = 10_000) -> None:
        pending = self.collection.ledger.pending(limit)
        vectors = self.embedder.encode([text for _, text in pending])
        self.collection.ledger.store_vectors([key for key, _ in pending], vectors)

    def ready(self) -> Collection:
        """The collection with both indexes level with the ledger."""
        self.collection.refresh()
        return self.collection


@pytest.fixture
def embedder():
    return BagOfWords()


@pytest.fixture
def library(tmp_path, embedder):
    with Collection.open(tmp_path, "default", Settings(), create=True) as collection:
        yield Library(collection, embedder)


@pytest.fixture
def garden(library):
    """Six files about different things; every chunk has its vector."""
    library.add("/garden/roses.md", "Roses need sun and water.", "Prune roses in March.",
                title="Roses", heading=("Roses", "Care"))  # fmt: skip
    library.add("/garden/tulips.md", "Tulips are planted in autumn.", title="Tulips")
    library.add("/garden/tools.pdf", "Keep the spade dry and sharp.", page=3)
    library.add("/kitchen/bread.md", "Bread needs flour, water and salt.", "Let the dough rest.")
    library.add("/kitchen/soup.txt", "Soup is water with ambition.")
    library.add("/office/tax.txt", "Declare your income before May.")
    library.embed()
    return library

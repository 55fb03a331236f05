"""A small real tokenizer, a deterministic embedder, and a folder with a collection beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from ragcli.embedders.info import EmbedderInfo
from ragcli.index.collection import Collection
from ragcli.ingest.report import IngestReport
from ragcli.ingest.run import ingest
from ragcli.settings import Settings

DIMENSION = 16


class WordEmbedder:
    """Sums a fixed random vector for each word: texts with words in common are near each other."""

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: list[str], *, query: bool = False) -> np.ndarray:
        self.texts += len(texts)
        vectors = np.array([self._vector(text) for text in texts], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _vector(self, text: str) -> np.ndarray:
        words = text.lower().split() or [""]
        seeds = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) for word in words]
        return np.sum(
            [np.random.default_rng(seed).normal(size=DIMENSION) for seed in seeds], axis=0
        )


class Silence:
    """Progress that remembers the names of its phases."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def phase(self, name: str, total: int | None) -> None:
        self.phases.append(name)

    def advance(self, steps: int = 1, note: str = "") -> None:
        pass

    def message(self, text: str) -> None:
        pass


def small_tokenizer(path: Path) -> Path:
    letters = [chr(code) for code in range(33, 127)]
    words = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(path))
    return path


@dataclass
class Desk:
    """A folder of documents, a place for collections, and what an ingest needs besides."""

    top: Path
    folder: Path
    info: EmbedderInfo
    settings: Settings = field(default_factory=Settings)
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    progress: Silence = field(default_factory=Silence)

    def write(self, name: str, text: str | None = None) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Words of {name}.\n" if text is None else text)
        os.utime(path, ns=(10**18, 10**18 + crc32((text or name).encode())))
        return path

    def ingest(
        self, *paths: Path, name: str = "default", settings: Settings | None = None, **options
    ) -> IngestReport:
        with self.collection(name) as collection:
            return ingest(
                collection,
                paths or [self.folder],
                settings or self.settings,
                embedder_info=options.pop("info", self.info),
                build_embedder=lambda: self.embedder,
                progress=self.progress,
                **options,
            )

    def again(self, **options) -> IngestReport:
        with self.collection() as collection:
            return ingest(
                collection,
                [],
                self.settings,
                embedder_info=self.info,
                build_embedder=lambda: self.embedder,
                progress=self.progress,
                **options,
            )

    def collection(self, name: str = "default") -> Collection:
        return Collection.open(self.top / "data", name, self.settings, create=True)

    def content(self, name: str = "default") -> list[tuple[object, ...]]:
        """All that a ledger holds of ready files: path, chunk id, text, vector."""
        with self.collection(name) as collection:
            return content(collection)

    def names(self) -> list[str]:
        """The documents of the collection."""
        with self.collection() as collection:
            return [
                os.path.relpath(row.path, self.folder)
                for row in collection.ledger.files()
                if row.state == "ready"
            ]

    def search(self, words: str) -> list[str]:
        """The names of the files that hold these words."""
        with self.collection() as collection:
            keys = [key for key, _ in collection.lexical.search(words, 100_000)]
            found = collection.ledger.chunks(keys)
            return sorted({os.path.relpath(chunk.path, self.folder) for chunk in found.values()})


def content(collection: Collection) -> list[tuple[object, ...]]:
    return sorted(
        collection.ledger.query(
            "SELECT f.path, hex(c.id), c.text, d.doc_id, d.title, hex(v.data) FROM files f"
            " JOIN documents d ON d.file = f.id JOIN chunks c ON c.document = d.id"
            " JOIN vectors v ON v.id = c.vector WHERE f.state = 'ready'"
        ),
        key=repr,
    )


def reasons(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {os.path.basename(path.rstrip("/")): reason for path, reason in items}


def desk_at(top: Path) -> Desk:
    tokenizer = top / "tokenizer.json"
    if not tokenizer.exists():
        small_tokenizer(tokenizer)
        (top / "docs").mkdir()
    info = EmbedderInfo("words", "f" * 64, DIMENSION, 128, tokenizer, top, "folder")
    return Desk(top, top / "docs", info)

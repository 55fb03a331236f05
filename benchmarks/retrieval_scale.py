"""How fast chunks are found among a thousand, and among a million; how many of the nearest are found.

    python benchmarks/retrieval_scale.py [--sizes 1000,10000,100000,1000000] [--folder FOLDER]

Text and vectors are made up, from a fixed seed: words with Zipf's frequencies, and vectors of 384
numbers around centres in 48 hidden dimensions, so that neighbours are as hard to tell apart as
those of a sentence embedder. Each size is built through the ledger in a process of its own.
Recall is measured against comparing every vector with numpy. Writes
benchmarks/results/retrieval_scale.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from machine import save, table

from ragcli.index.collection import Collection
from ragcli.index.rows import FileFacts, Selection
from ragcli.settings import Settings
from ragcli.types import Chunk, Span, SplitDocument

DIMENSION, HIDDEN, CENTRES = 384, 48, 2000
VOCABULARY, WORDS = 50_000, 60
DOCUMENTS = 100
QUESTIONS, K = 100, 10


class Vectors:
    """Unit vectors from a mixture of Gaussians in a hidden space, mapped to all dimensions."""

    def __init__(self) -> None:
        generator = np.random.default_rng(1)
        self._map = generator.normal(size=(HIDDEN, DIMENSION)).astype(np.float32)
        self._centres = generator.normal(size=(CENTRES, HIDDEN)).astype(np.float32)

    def draw(self, count: int, seed: int) -> np.ndarray:
        generator = np.random.default_rng(seed)
        hidden = self._centres[generator.integers(0, CENTRES, count)]
        hidden = hidden + 0.7 * generator.normal(size=hidden.shape).astype(np.float32)
        rows = hidden @ self._map + 0.5 * generator.normal(size=(count, DIMENSION))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def texts(count: int, seed: int, length: int = WORDS) -> Iterator[str]:
    """Texts of words whose frequencies follow Zipf's law."""
    generator = np.random.default_rng(seed)
    weights = 1 / np.arange(1, VOCABULARY + 1)
    drawn = generator.choice(VOCABULARY, size=(count, length), p=weights / weights.sum())
    for row in drawn:
        yield " ".join(f"w{word}" for word in row)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def fill(collection: Collection, size: int) -> None:
    """`size` chunks in a hundred files, each chunk with its vector."""
    ledger, vectors = collection.ledger, Vectors()
    per_file = max(size // DOCUMENTS, 1)
    for number in range(size // per_file):
        path = f"/made-up/{number}.txt"
        staged = ledger.stage(FileFacts(path, None, 1, 1, str(number), "text", "text/1"))
        chunks = [
            Chunk(text, (), (Span(0, page=number + 1),), WORDS)
            for text in texts(per_file, 1000 + number)
        ]
        ledger.add_document(staged, SplitDocument(chunks))
        ledger.publish(staged)
        keys = [key for key, _ in ledger.pending(per_file)]
        ledger.store_vectors(keys, vectors.draw(len(keys), 1000 + number))


def exact(collection: Collection, asked: np.ndarray, size: int) -> list[set[int]]:
    """The keys of the true nearest, by comparing every vector of the ledger."""
    best_scores = np.full((len(asked), 0), 0, np.float32)
    best_keys = np.full((len(asked), 0), 0, np.int64)
    for start in range(1, size + 1, 5000):
        keys, vectors = collection.ledger.vectors(range(start, min(start + 5000, size + 1)))
        scores = asked @ vectors.astype(np.float32).T
        best_scores = np.hstack([best_scores, scores])
        best_keys = np.hstack([best_keys, np.broadcast_to(keys, scores.shape)])
        order = np.argsort(-best_scores, axis=1, kind="stable")[:, :K]
        best_scores = np.take_along_axis(best_scores, order, 1)
        best_keys = np.take_along_axis(best_keys, order, 1)
    return [set(row.tolist()) for row in best_keys]


def each(search: Callable[[Any], Any], questions: list[Any]) -> tuple[dict[str, float], list[Any]]:
    """Milliseconds a question, after one round to warm up, and what the last round found."""
    for question in questions[:10]:
        search(question)
    spent, found = [], []
    for question in questions:
        started = time.perf_counter()
        found.append(search(question))
        spent.append((time.perf_counter() - started) * 1000)
    spent.sort()
    return {"median": statistics.median(spent), "p95": spent[int(len(spent) * 0.95)]}, found


def recall(found: list[list[tuple[int, float]]], truth: list[set[int]]) -> float:
    hits = sum(len(keys & {key for key, _ in row}) for row, keys in zip(found, truth, strict=True))
    return hits / sum(len(keys) for keys in truth)


def same_tenth(collection: Collection) -> Iterator[Selection]:
    """A tenth of the documents, said in two ways in turn, so that no selection is remembered."""
    tenth = range(1, DOCUMENTS // 10 + 1)
    documents = frozenset(d.id for file in tenth for d in collection.ledger.documents(file))
    return cycle([Selection(pages=(tenth[0], tenth[-1])), Selection(documents=documents)])


def measure(size: int, folder: Path) -> dict[str, Any]:
    """All figures for one size."""
    settings = Settings()
    with Collection.open(folder, "c", settings, create=True) as collection, collection.writing():
        filled = timed(lambda: fill(collection, size))
        lexical = timed(lambda: collection.lexical.catch_up(collection.ledger))
        dense = timed(collection.refresh)
    building_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    asked = list(Vectors().draw(QUESTIONS, 7).astype(np.float32))
    questions = list(texts(QUESTIONS, 7, length=8))
    with Collection.open(folder, "c", settings) as collection:
        opened = timed(lambda: (collection.lexical, collection.dense))
        allowed = same_tenth(collection)
        words, _ = each(lambda text: collection.lexical.search(text, K), questions)
        words_in, _ = each(
            lambda text: collection.lexical.search(text, K, next(allowed)), questions
        )
        near, found = each(lambda vector: collection.dense.search(vector, K), asked)
        near_in, found_in = each(
            lambda vector: collection.dense.search(vector, K, next(allowed)), asked
        )
        truth = exact(collection, np.array(asked), size)
        truth_in = exact(collection, np.array(asked), size // 10)
        kind = "exact" if collection.dense.store.exact else "approximate"
    sizes = {
        part: sum(file.stat().st_size for file in (folder / "collections/c").rglob(pattern)) / 1e6
        for part, pattern in (
            ("ledger", "ledger.db"),
            ("lexical", "lexical/*"),
            ("dense", "*.faiss"),
        )
    }
    return {
        "chunks": size,
        "dense_index": kind,
        "fill_ledger_s": filled,
        "build_lexical_s": lexical,
        "build_dense_s": dense,
        "peak_mb": building_mb,
        "open_s": opened,
        "lexical_ms": words,
        "lexical_filtered_ms": words_in,
        "dense_ms": near,
        "dense_filtered_ms": near_in,
        "recall_at_10": recall(found, truth),
        "recall_at_10_filtered": recall(found_in, truth_in),
        "megabytes": sizes,
    }


def page(results: list[dict[str, Any]]) -> str:
    header = [
        "chunks", "lexical ms", "lexical ms, filtered", "dense", "dense ms", "dense ms, filtered",
        "recall@10", "recall@10, filtered", "open s", "build lexical s", "build dense s", "peak MB",
        "disk MB",
    ]  # fmt: skip
    rows = [
        (
            f"{row['chunks']:,}", row["lexical_ms"]["median"], row["lexical_filtered_ms"]["median"],
            row["dense_index"], row["dense_ms"]["median"], row["dense_filtered_ms"]["median"],
            row["recall_at_10"], row["recall_at_10_filtered"], row["open_s"],
            row["build_lexical_s"], row["build_dense_s"], round(row["peak_mb"]),
            round(sum(row["megabytes"].values())),
        )
        for row in results
    ]  # fmt: skip
    return (
        "# Finding chunks among a thousand and among a million\n\n"
        "Milliseconds a question for ten hits, median of 100, index in memory; `filtered` within a"
        " tenth of the documents. Recall against comparing every vector. Vectors and texts are made"
        " up; `benchmarks/retrieval_scale.py` says how and measures again.\n\n"
        + table(header, rows)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--folder", type=Path, help="where the collections are built")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.folder)))
        return
    results = []
    for size in map(int, arguments.sizes.split(",")):
        folder = Path(tempfile.mkdtemp(prefix="ragcli-scale-", dir=arguments.folder))
        command = [sys.executable, __file__, "--one", str(size), "--folder", str(folder)]
        try:
            results.append(json.loads(subprocess.run(command, check=True, stdout=-1).stdout))
        finally:
            shutil.rmtree(folder)
        print(json.dumps(results[-1]), file=sys.stderr)
    print(save("retrieval_scale", {"results": results}, page(results)))


if __name__ == "__main__":
    main()

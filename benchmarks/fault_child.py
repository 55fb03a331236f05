"""The process that faults.py does things to: ingests or asks, and dies and drops guards as told.

    python benchmarks/fault_child.py JOB        JOB is JSON, see `Job`

Prints a line `step` for each step and one line of JSON at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ragcli.embedders.info import EmbedderInfo
from ragcli.errors import RagcliError
from ragcli.index import database, segments, staging, texts
from ragcli.index.collection import Collection
from ragcli.index.database import Database
from ragcli.index.lock import WriterLock
from ragcli.ingest.run import ingest
from ragcli.settings import Settings
from ragcli.stores import verified

DIMENSION = 32
QUESTIONS = ("harbour tide", "delta sand river", "lantern", "copper wire winter", "the")


@dataclass
class Job:
    """What to do: `ingest` or `ask`, on which folders, and what is to go wrong."""

    action: str
    docs: str
    data: str
    tokenizer: str
    die_at: int = 0
    """Kill this process when it begins its n-th statement on the ledger."""
    pause_at: int = 0
    """Pause this process when it is about to make its n-th file visible."""
    stop_at: int = 0
    """Pause this process when it begins its n-th transaction."""
    eager: bool = False
    """Commit each transaction for itself, which gives a fault more places to strike."""
    most_bytes: int = 0
    """No file may grow beyond this."""
    off: list[str] = field(default_factory=list)
    """Guards to switch off, by name."""


class WordVectors:
    """Deterministic vectors: the sum of a random vector for each word."""

    def __init__(self) -> None:
        self.truncated: list[int] = []

    def encode(self, texts: list[str], *, query: bool = False) -> np.ndarray:
        vectors = np.array([self._vector(text) for text in texts], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _vector(self, text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        return np.random.default_rng(seed).normal(size=DIMENSION)


class Steps:
    """Progress as lines."""

    def phase(self, name: str, total: int | None) -> None:
        print("step", flush=True)

    def advance(self, steps: int = 1, note: str = "") -> None:
        print("step", flush=True)

    def message(self, text: str) -> None:
        pass


def open_collection(data: str, *, create: bool = False) -> Collection:
    """The one collection that all jobs work on."""
    return Collection.open(Path(data), "default", Settings(), create=create)


def run_ingest(job: Job) -> dict[str, Any]:
    """Bring the collection level with the folder; says how many statements that took."""
    tokenizer = Path(job.tokenizer)
    info = EmbedderInfo("words", "f" * 64, DIMENSION, 128, tokenizer, tokenizer.parent, "folder")
    with open_collection(job.data, create=True) as collection:
        statements = _count_statements(collection, job)
        report = ingest(
            collection,
            [Path(job.docs)],
            Settings(),
            embedder_info=info,
            build_embedder=WordVectors,
            progress=Steps(),
        )
    return {"done": True, "seen": report.seen, "statements": statements()}


def ask(job: Job) -> dict[str, Any]:
    """What both indexes find, as texts, so that answers can be compared."""
    with open_collection(job.data) as collection:
        found: list[Any] = []
        for question in QUESTIONS:
            hits = collection.lexical.search(question, 20)
            found.append(_texts(collection, hits))
            vector = WordVectors().encode([question])[0]
            found.append(_texts(collection, collection.dense.search(vector, 20)))
    return {"found": found}


def _texts(collection: Collection, hits: list[tuple[int, float]]) -> list[str]:
    # Not the scores: an index built in one go weighs terms a little differently from a grown one.
    chunks = collection.ledger.chunks([key for key, _ in hits])
    return sorted(chunks[key].text for key, _ in hits)


def _count_statements(collection: Collection, job: Job) -> Callable[[], int]:
    statements = transactions = published = 0

    def statement(text: str) -> None:
        nonlocal statements, transactions, published
        statements += 1
        if statements == job.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if text.startswith("UPDATE files SET state = 'ready'"):
            published += 1
            if published == job.pause_at:
                os.kill(os.getpid(), signal.SIGSTOP)
        if text.startswith("BEGIN"):
            transactions += 1
            if transactions == job.stop_at:
                os.kill(os.getpid(), signal.SIGSTOP)

    collection.ledger._db._connection.set_trace_callback(statement)
    return lambda: statements


def _no_transactions() -> None:
    @contextmanager
    def bare(self: Database) -> Iterator[None]:
        yield

    Database.transaction = bare  # type: ignore[method-assign]


def _no_journal() -> None:
    connect = Database._connect

    def without(self: Database) -> Any:
        connection = connect(self)
        connection.execute("PRAGMA journal_mode=OFF")
        return connection

    Database._connect = without  # type: ignore[method-assign]


def _no_lock() -> None:
    def take(self: WriterLock, patience: float = 0) -> None:
        self._held += 1
        self._descriptor = os.open(os.devnull, os.O_RDONLY)

    WriterLock.take = take  # type: ignore[method-assign]


def _no_sweeping() -> None:
    staging.Staging.discard_staged = lambda self: self._staged.clear()  # type: ignore[method-assign]


class _Whatever:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def _no_checksums() -> None:
    segments.check_stamp = lambda *_, **__: True
    segments.verify = lambda *_, **__: None
    verified._sound = lambda file: True
    texts.text_check = lambda *parts: _Whatever()  # type: ignore[assignment,return-value]


GUARDS = {
    "transactions": _no_transactions,
    "journal": _no_journal,
    "lock": _no_lock,
    "sweeping": _no_sweeping,
    "checksums": _no_checksums,
}


def main() -> None:
    """Do the job; a failure that a person would be told is an outcome, a bug is a traceback."""
    job = Job(**json.loads(sys.argv[1]))
    for name in job.off:
        GUARDS[name]()
    if job.eager:
        database.GROUP_SECONDS = 0
    if job.most_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.most_bytes, job.most_bytes))
    try:
        outcome = run_ingest(job) if job.action == "ingest" else ask(job)
    except RagcliError as error:
        outcome = {"error": type(error).__name__, "message": error.message}
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()

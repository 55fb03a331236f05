"""A collection whose vectors live elsewhere: level with its ledger through every fault, and back."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pinecone_server
import pytest
from engines import in_memory, specification
from pinecone_server import Faults, PineconeServer

sys.path.insert(0, str(Path(__file__).parents[1] / "index"))
from test_ledger import document, embed, facts, put

from ragcli.errors import (
    FingerprintMismatch,
    KeyRefused,
    MissingKey,
    NetworkError,
    StoreError,
    UsageError,
)
from ragcli.index import fingerprint, remote, sending
from ragcli.index.collection import Collection
from ragcli.index.restoring import restore
from ragcli.index.rows import Selection
from ragcli.index.surroundings import Surroundings
from ragcli.settings import Settings

DIMENSION = 8
BUILT = {"model": "m", "embedder": "e" * 64, "dimension": str(DIMENSION), "splitter": "s/1"}


@pytest.fixture
def server() -> Iterator[PineconeServer]:
    with pinecone_server.serving(specification()) as running:
        yield running
        assert running.complaints == []


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Nothing here is about disks, and each step waits for them several times."""
    with in_memory() as folder:
        yield folder


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long before trying again; for tests in which no answer is late."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
    monkeypatch.setattr(sending, "BRIEF_S", 0.3)


def opened(
    folder: Path, server: PineconeServer | str, *, key: str = pinecone_server.KEY, **options: object
) -> Collection:
    url = server if isinstance(server, str) else server.url
    store = {"use": "pinecone", "url": url, "timeout_s": 2, "create": True, **options}
    around = Surroundings({"PINECONE_API_KEY": key} if key else {})
    settings = Settings.model_validate({"store": store})
    collection = Collection.open(folder, "c", settings, create=True, surroundings=around)
    fingerprint.adopt(collection.ledger, BUILT)
    return collection


def change(collection: Collection, generator: random.Random) -> None:
    """Add, replace, move, copy or remove a file."""
    ledger, path = collection.ledger, f"/r/{generator.randrange(6)}"
    row, drawn = ledger.file(path), generator.random()
    if row is not None and drawn < 0.2:
        ledger.remove([row.id])
    elif row is not None and drawn < 0.4:
        ledger.move(row.id, facts(f"/r/{generator.randrange(6)}"))
    elif row is not None and drawn < 0.5:
        ledger.copy(facts(f"/r/{generator.randrange(6)}"), row.id)
    else:
        texts = (f"text {generator.randrange(40)}" for _ in range(generator.randrange(1, 30)))
        put(ledger, path, document(*texts, page=generator.randrange(1, 5)))
    if generator.random() < 0.8:
        embed(ledger, DIMENSION)


def held(server: PineconeServer) -> dict[str, tuple[str, float]]:
    found = server.space("c").vectors
    return {id: (v["metadata"]["text"], round(v["values"][0], 4)) for id, v in found.items()}


def wanted(collection: Collection) -> dict[str, tuple[str, float]]:
    ledger = collection.ledger
    rows = ledger.query("SELECT key FROM chunks")
    keys, vectors = ledger.vectors([row[0] for row in rows])
    chunks = ledger.chunks(keys)
    first = dict(zip(keys, vectors[:, 0].tolist() if len(keys) else [], strict=True))
    return {c.id: (c.text, pytest.approx(first[k], abs=1e-4)) for k, c in chunks.items()}


def level(collection: Collection) -> None:
    with collection.writing():
        collection.refresh()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_store_ends_with_what_the_ledger_has(
    tmp_path: Path, server: PineconeServer, seed: int
) -> None:
    generator = random.Random(seed)
    with opened(tmp_path, server, retries=0) as collection:
        for step in range(20):
            with collection.writing():
                change(collection, generator)
            if generator.random() < 0.2:
                server.faults = Faults(0.8, ("lost", "partial"), seed=step)
            if step == 12:
                server.space("c").vectors.clear()
                server.space("c").changed()
            try:
                level(collection)
            except (StoreError, NetworkError):
                server.faults = Faults()
                level(collection)
            server.faults = Faults()
            assert held(server) == wanted(collection)


def test_every_kind_of_fault_loses_and_doubles_nothing(
    tmp_path: Path, server: PineconeServer
) -> None:
    with opened(tmp_path, server, retries=15) as collection:
        put(collection.ledger, "/r/a", document(*(f"chunk {i}" for i in range(1500))))
        embed(collection.ledger, DIMENSION)
        server.lag_s = 0.3
        kinds = ("429", "500", "503", "lost", "cut", "partial")
        server.faults = Faults(0.3, kinds, seed=4)
        level(collection)
        assert held(server) == wanted(collection)


@pytest.mark.parametrize("small", [0, remote.SMALL])
def test_searches_are_exact_and_filtered(
    tmp_path: Path, server: PineconeServer, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SMALL", small)
    with opened(tmp_path, server) as collection:
        ledger = collection.ledger
        for part in range(4):
            texts = (f"{part} of {i}" for i in range(300))
            put(ledger, f"/r/{part}", document(*texts, page=part + 1))
        embed(ledger, DIMENSION)
        level(collection)
        asked = np.random.default_rng(3).normal(size=DIMENSION)
        asked /= np.linalg.norm(asked)
        for allowed in (None, Selection(pages=(2, 3)), Selection(frozenset({1, 4}))):
            keys = ledger.selected_keys(allowed or Selection()).tolist()
            there, vectors = ledger.vectors(keys)
            scores = dict(zip(there, (vectors.astype(np.float32) @ asked).tolist(), strict=True))
            best = sorted(scores, key=lambda key: (-scores[key], key))[:9]
            assert [key for key, _ in collection.dense.search(asked, 9, allowed)] == best


def test_a_store_that_is_down_refuses_or_is_full_loses_nothing(
    tmp_path: Path, server: PineconeServer
) -> None:
    with opened(tmp_path, server) as collection:
        put(collection.ledger, "/r/a", document("one", "two", "three"))
        embed(collection.ledger, DIMENSION)
    cases = [
        (opened(tmp_path, "http://127.0.0.1:9", retries=0), NetworkError, "cannot be reached"),
        (opened(tmp_path, server, key="wrong", retries=0), KeyRefused, "does not accept the key"),
    ]
    for collection, kind, words in cases:
        with collection, pytest.raises(kind, match=words) as raised:
            level(collection)
        assert "ragcli sync" in raised.value.fix
        assert "wrong" not in raised.value.message
    with opened(tmp_path, server, key="") as collection, pytest.raises(MissingKey):
        level(collection)
    server.full_at = 0
    with opened(tmp_path, server, retries=0, timeout_s=0.4) as collection:
        with pytest.raises(StoreError, match="no more room"):
            level(collection)
        server.full_at = None
        server.faults = Faults(1, ("slow",), slow_s=0.6)
        with pytest.raises(NetworkError, match="in time"):
            level(collection)
        server.faults = Faults()
        assert collection.ledger.coverage().embedded == 3
        level(collection)
        assert held(server) == wanted(collection)


def test_a_missing_index_is_made_only_when_asked(tmp_path: Path, server: PineconeServer) -> None:
    with opened(tmp_path, server, create=False) as collection:
        put(collection.ledger, "/r/a", document("one"))
        embed(collection.ledger, DIMENSION)
        with pytest.raises(StoreError, match="no index"):
            level(collection)
        assert server.indexes == {}


def test_a_place_of_somebody_else_is_left_alone(tmp_path: Path, server: PineconeServer) -> None:
    for name in ("one", "two"):
        with opened(tmp_path / name, server) as collection:
            put(collection.ledger, f"/{name}/a", document("one", name))
            embed(collection.ledger, DIMENSION)
            if name == "one":
                level(collection)
                continue
            with pytest.raises(UsageError, match="another ledger"):
                level(collection)
            fingerprint.adopt(collection.ledger, {**BUILT, "embedder": "f" * 64})
            embed(collection.ledger, DIMENSION)
            with pytest.raises(FingerprintMismatch):
                level(collection)
            with pytest.raises(FingerprintMismatch):
                collection.dense.search(np.ones(DIMENSION) / 8**0.5, 3)
            taking = collection.remote
            with collection.writing():
                taking.catch_up(take_over=True)
            taking.close()
            assert held(server) == wanted(collection)


def test_another_embedder_empties_the_store_first(tmp_path: Path, server: PineconeServer) -> None:
    with opened(tmp_path, server) as collection:
        put(collection.ledger, "/r/a", document("one", "two"))
        embed(collection.ledger, DIMENSION)
        level(collection)
        fingerprint.adopt(collection.ledger, {**BUILT, "embedder": "f" * 64})
        put(collection.ledger, "/r/a", document("two"))
        embed(collection.ledger, DIMENSION)
        level(collection)
        assert held(server) == wanted(collection) and len(held(server)) == 1


def test_a_lost_mirror_is_made_again(tmp_path: Path, server: PineconeServer) -> None:
    with opened(tmp_path, server) as collection:
        put(collection.ledger, "/r/a", document("one", "two"))
        put(collection.ledger, "/r/b", document("three"))
        embed(collection.ledger, DIMENSION)
        level(collection)
    for file in (tmp_path / "collections/c/stores").glob("*.db"):
        file.unlink()
    with opened(tmp_path, server) as collection:
        collection.ledger.remove([1])
        level(collection)
        assert held(server) == wanted(collection) and len(held(server)) == 1


def test_a_ledger_is_made_from_the_store(tmp_path: Path, server: PineconeServer) -> None:
    with opened(tmp_path / "one", server) as collection:
        for part in range(3):
            put(collection.ledger, f"/r/{part}", document(*(f"{part} {i}" for i in range(40))))
        embed(collection.ledger, DIMENSION)
        level(collection)
        before = wanted(collection)
        chunk = next(iter(collection.ledger.chunks([5]).values()))
    settings = Settings.model_validate(
        {"collection": "c", "store": {"use": "pinecone", "url": server.url}}
    )
    around = Surroundings({"PINECONE_API_KEY": pinecone_server.KEY})
    found = restore(
        tmp_path / "two", settings, around, lambda name, total: None, lambda number: None
    )
    assert (found.files, found.chunks, found.cut) == (3, 120, 0)
    with opened(tmp_path / "two", server) as collection:
        assert wanted(collection) == before
        again = collection.ledger.chunk_by_id(chunk.id)
        assert again is not None
        assert (again.text, again.spans, again.heading) == (chunk.text, chunk.spans, chunk.heading)
        assert collection.ledger.pending(1) == []
        requests = len([r for r in server.requests if r[1] == "/vectors/upsert"])
        level(collection)
        assert len([r for r in server.requests if r[1] == "/vectors/upsert"]) == requests
    with pytest.raises(UsageError, match="already"):
        restore(tmp_path / "two", settings, around, lambda n, t: None, lambda number: None)


def test_a_question_asks_and_never_writes(tmp_path: Path, server: PineconeServer) -> None:
    with opened(tmp_path, server) as collection:
        put(collection.ledger, "/r/a", document("one"))
        embed(collection.ledger, DIMENSION)
        level(collection)
        put(collection.ledger, "/r/b", document("two"))
        embed(collection.ledger, DIMENSION)
    with opened(tmp_path, server) as collection:
        assert len(collection.dense.search(np.ones(DIMENSION) / 8**0.5, 3)) == 1
        assert any("behind" in warning for warning in collection.warnings)
    assert len(held(server)) == 1

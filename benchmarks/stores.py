"""Measures the stores: recall against exact search, sync against a store's own bulk path, faults.

    python benchmarks/stores.py            10,000 chunks in every engine that can be reached here
    python benchmarks/stores.py --pinecone faults, and the plain loop of Pinecone's SDK
    python benchmarks/stores.py --sync N   N chunks to one engine (--engine), killed and resumed
    python benchmarks/stores.py --bulk N   N chunks to some engines (--engine A,B) and their own upsert

Pinecone runs against the loopback server of the tests, with its published OpenAPI documents
(RAGCLI_TEST_DATA). Vectors are drawn around centres, 384 numbers each, from a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "stores"), str(ROOT / "tests" / "index")]

import pinecone_server  # noqa: E402
import pytest  # noqa: E402
from engines import ENGINES, engine, specification  # noqa: E402
from pinecone_server import Faults  # noqa: E402
from test_ledger import document, facts  # noqa: E402

from ragcli.index import fingerprint, outgoing  # noqa: E402
from ragcli.index.collection import Collection  # noqa: E402
from ragcli.index.remote import RemoteIndex  # noqa: E402
from ragcli.index.surroundings import Surroundings  # noqa: E402
from ragcli.settings import Settings  # noqa: E402
from ragcli.stores import wire  # noqa: E402

WIDTH, QUESTIONS, KILLS = 384, 100, 5
BUILT = {"model": "drawn", "embedder": "d" * 64, "dimension": str(WIDTH), "splitter": "s/1"}
WORDS = "the lathe may be used by members who have taken the class and wear glasses "


def drawn(count: int, seed: int) -> np.ndarray:
    """Unit vectors around 200 centres, float16."""
    centres = np.random.default_rng(7).normal(size=(200, WIDTH)).astype(np.float32)
    generator = np.random.default_rng(seed)
    rows = centres[generator.integers(0, 200, count)]
    rows = rows + 0.8 * generator.normal(size=rows.shape).astype(np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def opened(folder: Path, **store: Any) -> Collection:
    """The collection of a folder, with these settings of its store."""
    settings = Settings.model_validate({"store": store} if store else {})
    around = Surroundings({"PINECONE_API_KEY": pinecone_server.KEY}, True)
    return Collection.open(folder, "c", settings, create=True, surroundings=around)


def filled(folder: Path, count: int) -> np.ndarray:
    """Write a ledger of `count` chunks, and return their vectors in order of their keys."""
    rows = drawn(count, 1)
    with opened(folder) as collection:
        ledger = collection.ledger
        fingerprint.adopt(ledger, BUILT)
        for start in range(0, count, 1000):
            staged = ledger.stage(facts(f"/r/{start}"))
            texts = [f"{WORDS * 8}{start + i}" for i in range(min(1000, count - start))]
            ledger.add_document(staged, document(*texts, page=1))
            ledger.publish(staged)
        at = 0
        while pending := ledger.pending(5000):
            ledger.store_vectors([key for key, _ in pending], rows[at : at + len(pending)])
            at += len(pending)
    return rows


def recall(remote: RemoteIndex, ledger: Any, rows: np.ndarray) -> tuple[float, float]:
    """The share of the exact top 10 that the store finds, and milliseconds a search."""
    keys = [row[0] for row in ledger.query("SELECT key FROM chunks ORDER BY key")]
    there, vectors = ledger.vectors(keys)
    ids = {chunk.key: chunk.id for chunk in ledger.chunks(there).values()}
    matrix = vectors.astype(np.float32)
    hits, spent = 0, 0.0
    for asked in drawn(QUESTIONS, 2).astype(np.float32):
        begun = time.perf_counter()
        found = {id for id, _ in remote.store.nearest(asked, 10)}
        spent += time.perf_counter() - begun
        scores = matrix @ asked
        near = np.flatnonzero(scores >= np.sort(scores)[-10] - 1e-6)
        hits += len(found & {ids[there[i]] for i in near})
    return hits / (10 * QUESTIONS), 1000 * spent / QUESTIONS


def measure(name: str, ledger_folder: Path, rows: np.ndarray) -> dict[str, Any]:
    """One engine: sync, its own bulk path alone, recall."""
    with tempfile.TemporaryDirectory() as folder, engine(name, Path(folder)) as make:
        with opened(ledger_folder) as collection:
            ledger = collection.ledger
            remote = RemoteIndex(make(), ledger, Path(folder) / "mirror", "c", lambda text: None)
            begun = time.perf_counter()
            with collection.writing():
                remote.catch_up()
            synced = time.perf_counter() - begun
            share, ms = recall(remote, ledger, rows)
            held, exact = remote.store.count(), remote.store.exact
            remote.close()
            keys = [row[0] for row in ledger.query("SELECT key FROM chunks ORDER BY key")]
            ready = [record for _, record in outgoing.records(ledger, keys)]
        bare = make(dimension=WIDTH)
        begun = time.perf_counter()
        for batch in wire.batches(ready, bare.batch_rows, bare.batch_bytes):
            bare.upsert(batch)
        alone = time.perf_counter() - begun
    return {
        "engine": name, "search": "exact" if exact else "approximate", "held": held,
        "recall": share, "search_ms": ms, "sync_per_s": len(ready) / synced,
        "bulk_per_s": len(ready) / alone,
    }  # fmt: skip


def faults(ledger_folder: Path, share: float) -> dict[str, Any]:
    """Pinecone on the loopback with faults: what is missing, what is doubled, how long it takes."""
    with pinecone_server.serving(specification()) as server:
        kinds = ("429", "500", "503", "lost", "cut", "partial", "slow")
        server.lag_s, server.faults = 0.5, Faults(share, kinds, slow_s=1.5, seed=3)
        store = {"use": "pinecone", "url": server.url, "timeout_s": 1, "retries": 12}
        for mirror in (ledger_folder / "collections" / "c" / "stores").glob("*.db"):
            mirror.unlink()
        with opened(ledger_folder, **store) as collection:
            begun = time.perf_counter()
            with collection.writing():
                collection.refresh()
            spent = time.perf_counter() - begun
            wanted = {row[0].hex() for row in collection.ledger.query("SELECT id FROM chunks")}
        held = [id.replace("-", "") for id in server.space("c").vectors]
        upserts = sum(path == "/vectors/upsert" for _, path in server.requests)
        return {
            "faults": share, "chunks": len(wanted), "missing": len(wanted - set(held)),
            "surplus": len(held) - len(wanted & set(held)), "seconds": spent,
            "upsert_requests": upserts, "injected": sum(server.faults.drawn.values()),
            "kinds": server.faults.drawn, "complaints": len(server.complaints),
        }  # fmt: skip


def plain_sdk(ledger_folder: Path) -> dict[str, Any]:
    """Without faults: our upsert against the loop that Pinecone's manual shows, 200 a request."""
    from pinecone import Pinecone

    with pinecone_server.serving(specification()) as server:
        with opened(ledger_folder) as collection:
            keys = [row[0] for row in collection.ledger.query("SELECT key FROM chunks")]
            ready = [record for _, record in outgoing.records(collection.ledger, keys)]
        client = Pinecone(api_key=pinecone_server.KEY, host=server.url)
        from pinecone import ServerlessSpec

        spec = ServerlessSpec(cloud="aws", region="us-east-1")
        client.create_index(name="ragcli", dimension=WIDTH, metric="cosine", spec=spec)
        index = client.Index(host=server.url)
        begun = time.perf_counter()
        for start in range(0, len(ready), 200):
            vectors = [
                (r.id, r.vector.tolist(), {"text": r.text, "document": r.document,
                 "first_page": r.first_page, "last_page": r.last_page, "data": wire.dumps(r.data)})
                for r in ready[start : start + 200]
            ]  # fmt: skip
            index.upsert(vectors=vectors, namespace="plain")
        plain = time.perf_counter() - begun
        store = {"use": "pinecone", "url": server.url}  # another port, so another mirror
        with opened(ledger_folder, **store) as collection:
            begun = time.perf_counter()
            with collection.writing():
                collection.refresh()
            ours = time.perf_counter() - begun
    return {"plain_per_s": len(ready) / plain, "ours_per_s": len(ready) / ours}


def killed(name: str, count: int) -> dict[str, Any]:
    """`sync` of a child that is killed at random points, and resumed until it ends."""
    generator = random.Random(5)
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "data"
        filled(folder, count)
        environ = {**os.environ, "HOME": top, "XDG_CONFIG_HOME": top, "XDG_CACHE_HOME": top}
        command = [sys.executable, "-m", "ragcli", "sync", "--to", name, "--json"]
        command += ["--data-dir", str(folder), "-c", "c"]
        begun, kills = time.perf_counter(), 0
        for _ in range(KILLS):
            child = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, cwd=top)
            try:
                child.wait(generator.uniform(2.5, 5.5))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.wait()
                kills += 1
        last = time.perf_counter()
        done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=top)
        spent = time.perf_counter() - begun
        facts_ = json.loads(done.stdout)
        with opened(folder, use=name) as collection:
            remote = collection.remote
            remote.check()
            held = list(remote.store.ids())
            known = collection.ledger.keys_of(held)
            remote.close()
    return {
        "engine": name, "chunks": count, "kills": kills, "held": len(held),
        "missing": count - len(known), "doubled": len(held) - len(set(held)),
        "seconds_in_all": spent, "last_run_s": time.perf_counter() - last,
        "last_run_sent": facts_["vectors"],
    }  # fmt: skip


def engines() -> None:
    """Every engine that can be reached, on 10,000 chunks."""
    results = []
    with tempfile.TemporaryDirectory() as top:
        rows = filled(Path(top), 10_000)
        for name in ENGINES:
            try:
                results.append(measure(name, Path(top), rows))
            except pytest.skip.Exception as reason:
                results.append({"engine": name, "search": f"not run: {reason}"})
            print(results[-1], flush=True)
            _save(results)


def bulk(names: list[str], count: int) -> None:
    """`sync` of many chunks against the engine's own upsert of the same records."""
    with tempfile.TemporaryDirectory() as top:
        rows = filled(Path(top), count)
        results = [measure(name, Path(top), rows) for name in names]
    heads = ["engine", "records", "sync, vectors/s", "upsert alone, vectors/s", "recall@10"]
    columns = ["engine", "held", "sync_per_s", "bulk_per_s", "recall"]
    page = machine.table(heads, [[row[column] for column in columns] for row in results])
    command = f"python benchmarks/stores.py --bulk {count} --engine {','.join(names)}"
    text = f"# Sync of {count:,} chunks\n\n`{command}`\n\n{page}"
    machine.save("stores_bulk", {"bulk": results}, text)


def _save(results: list[dict[str, Any]]) -> None:
    columns = ["engine", "search", "held", "recall", "search_ms", "sync_per_s", "bulk_per_s"]
    heads = ["engine", "search", "records", "recall@10", "ms", "sync, vectors/s", "upsert alone"]
    page = machine.table(heads, [[row.get(column, "") for column in columns] for row in results])
    text = (
        "# Stores, 10,000 chunks of 384 numbers\n\n`python benchmarks/stores.py`\n\n"
        f"{page}\n\nPinecone is a server on the loopback that compares every vector."
    )
    machine.save("stores", {"stores": results}, text)


def pinecone() -> None:
    """Pinecone on the loopback, with and without faults, and against the plain loop of its SDK."""
    with tempfile.TemporaryDirectory() as top:
        filled(Path(top), 10_000)
        faulty = [faults(Path(top), share) for share in (0.0, 0.3)]
        plain = plain_sdk(Path(top))
    names = ["faults", "chunks", "missing", "surplus", "seconds", "upsert_requests", "injected"]
    lost = machine.table(names, [[row[name] for name in names] for row in faulty])
    text = (
        "# Pinecone on the loopback, 10,000 chunks\n\n`python benchmarks/stores.py --pinecone`\n\n"
        f"{lost}\n\nAgainst the plain loop of the SDK, 200 vectors a request, without faults:\n\n"
        f"{machine.table(list(plain), [list(plain.values())])}"
    )
    machine.save("stores_pinecone", {"faults": faulty, "plain": plain}, text)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sync", type=int, default=0)
    parser.add_argument("--engine", default="lancedb")
    parser.add_argument("--bulk", type=int, default=0)
    parser.add_argument("--pinecone", action="store_true")
    given = parser.parse_args()
    if given.sync:
        figures = killed(given.engine, given.sync)
        page = machine.table(list(figures), [list(figures.values())])
        machine.save("stores_killed", {"killed": figures}, f"# Sync, killed and resumed\n\n{page}")
    elif given.bulk:
        bulk(given.engine.split(","), given.bulk)
    elif given.pinecone:
        pinecone()
    else:
        engines()


if __name__ == "__main__":
    main()

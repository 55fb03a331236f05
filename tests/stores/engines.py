"""The engines that a test run can reach: how each is started, and a store of it in a new place."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pinecone_server
import pytest
from ports import free_port, wait_for
from postgres import postgres

from ragcli.config import plug_options
from ragcli.registry import load
from ragcli.settings import Store as Choice
from ragcli.stores import STORES
from ragcli.stores.resources import Resources
from ragcli.stores.store import Store

_number = count(1)
ENGINES = [
    "chroma", "chroma-server", "qdrant", "qdrant-server", "lancedb", "milvus", "milvus-server",
    "pgvector", "pgvector-server", "clickhouse", "clickhouse-server", "weaviate-server", "pinecone",
]  # fmt: skip
Make = Callable[..., Store]


@contextmanager
def engine(name: str, folder: Path) -> Iterator[Make]:
    """A function that makes stores of an engine; those made with the same `at` share a place."""
    use = name.removesuffix("-server")
    if use != "pinecone" and any(find_spec(need) is None for need in STORES[use].needs):
        pytest.skip(f"the extra {STORES[use].extra} is not installed")
    start = _STARTED.get(name, _here)
    with start(folder) as (options, keys):
        made: list[Store] = []
        yield partial(_make, use, folder, options, keys, made)
        for store in made:
            store.close()


def _make(
    use: str,
    folder: Path,
    options: dict[str, Any],
    keys: dict[str, str],
    made: list[Store],
    *,
    at: str | None = None,
    dimension: int | None = None,
    embedding: Any = None,
    **more: Any,
) -> Store:
    module = load("store", STORES, use)
    choice = Choice(use=use, **{**options, **more})
    at = at or f"t{os.getpid()}x{next(_number)}"
    files = folder / "files" / (at if use == "qdrant" else use)  # which reads all of its folder
    resources = Resources(files, at, keys, create=True, say=lambda text: None)
    if use == "clickhouse" and "url" not in options:  # one session in a process
        _close_others(made)
    store: Store = module.build(plug_options(module, "store", choice), resources)
    store._embedding = embedding
    made.append(store)
    if dimension:
        store.open(dimension, create=True)
    return store


def _close_others(made: list[Store]) -> None:
    for store in made:
        store.close()


Started = Iterator[tuple[dict[str, Any], dict[str, str]]]


@contextmanager
def _here(folder: Path) -> Started:
    yield {}, {}


@contextmanager
def _qdrant(folder: Path) -> Started:
    # Its local mode waits for the disk after every single record: a minute for 10,000 of them.
    with in_memory() as files:
        (folder / "files").symlink_to(files)
        yield {}, {}


@contextmanager
def _given(variable: str, key: str, folder: Path) -> Started:
    if not os.environ.get(variable):
        pytest.skip(f"{variable} does not name a server")
    found = {key: os.environ[key]} if key in os.environ else {}
    yield {"url": os.environ[variable]}, found


@contextmanager
def _chroma(folder: Path) -> Started:
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("chroma")),
        "run",
        "--path",
        str(folder / "served"),
    ]
    child = subprocess.Popen(
        [*command, "--port", str(port), "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
    )
    try:
        wait_for(port, child)
        yield {"url": f"http://127.0.0.1:{port}"}, {}
    finally:
        child.terminate()
        child.wait(20)


@contextmanager
def _postgres(folder: Path) -> Started:
    with postgres() as url:
        yield {"url": url}, {}


@contextmanager
def _pinecone(folder: Path) -> Started:
    if key := os.environ.get("PINECONE_API_KEY"):
        module = Path(
            os.environ["PYTEST_CURRENT_TEST"].split("::")[0]
        ).stem  # of one dimension each
        yield {"index": f"ragcli-{module.replace('_', '-')}"}, {"PINECONE_API_KEY": key}
        return
    with pinecone_server.serving(specification()) as server:
        keys = {"PINECONE_API_KEY": pinecone_server.KEY}
        yield {"url": server.url, "timeout_s": 5, "index": f"t{next(_number)}"}, keys
        assert server.complaints == []


@cache
def specification() -> pinecone_server.Specification:
    """Pinecone's OpenAPI documents; without them there is nothing to hold requests against."""
    folder = Path(os.environ.get("RAGCLI_TEST_DATA", "/nonexistent")) / "pinecone-openapi"
    if not folder.is_dir():
        pytest.skip("RAGCLI_TEST_DATA names no folder with Pinecone's OpenAPI documents")
    return pinecone_server.Specification(folder)


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder for what waits for the disk often; in memory, where the system has such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="ragcli-", dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


_STARTED: dict[str, Callable[[Path], Any]] = {
    "qdrant": _qdrant,
    "chroma-server": _chroma,
    "pgvector": _postgres,
    "pinecone": _pinecone,
    "qdrant-server": partial(_given, "RAGCLI_TEST_QDRANT_URL", "QDRANT_API_KEY"),
    "milvus-server": partial(_given, "RAGCLI_TEST_MILVUS_URL", "MILVUS_TOKEN"),
    "pgvector-server": partial(_given, "RAGCLI_TEST_PGVECTOR_URL", "PGPASSWORD"),
    "clickhouse-server": partial(_given, "RAGCLI_TEST_CLICKHOUSE_URL", "CLICKHOUSE_PASSWORD"),
    "weaviate-server": partial(_given, "RAGCLI_TEST_WEAVIATE_URL", "WEAVIATE_API_KEY"),
}

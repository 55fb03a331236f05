"""Stores elsewhere as their users meet them: one that fails, a move there and back, no ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import Run, environment

from ragcli.cli import app

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
import pinecone_server
from pinecone_server import KEY, SPENT, Faults, PineconeServer
from ports import free_port

NOTES = {
    "bees.md": "# Bees\n\nThe hive stands behind the barn.\n\n# Honey\n\nHoney is sold in May.\n",
    "goats.txt": "The goats are milked at six in the morning.\n",
}
Served = Callable[[PineconeServer], None]


@pytest.fixture
def here(
    tmp_path: Path,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run ragcli in this process, in `tmp_path`: libraries of stores are slow to import."""
    for name, value in environment(tmp_path / "home", cache_dir).items():
        monkeypatch.setenv(name, value)
    for name in ("PINECONE_API_KEY", "RAGCLI_TEST_DATA", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
        if key is not None:
            monkeypatch.setenv("PINECONE_API_KEY", key)
        capsys.readouterr()
        code = app.run(list(arguments))
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    return folder


def refusal(result: subprocess.CompletedProcess[str], code: int = 1) -> dict[str, str]:
    """What a command that failed said: one line of JSON, and nothing on stdout."""
    assert (result.returncode, result.stdout) == (code, ""), result
    error: dict[str, str] = json.loads(result.stderr.strip().split("\n")[-1])["error"]
    return error


def answer(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def paths(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [hit["document"] for hit in answer(result)["hits"]]


def meanings(result: subprocess.CompletedProcess[str]) -> list[tuple[str, float]]:
    return [(hit["chunk"], hit["scores"]["dense"]) for hit in answer(result)["hits"]]


# A store that fails

TROUBLES: dict[str, tuple[Served, str, str, str]] = {
    "slow": (
        lambda server: setattr(server, "faults", Faults(1, ("slow",), slow_s=1.2)),
        "network", "does not answer in time", "store.timeout_s",
    ),
    "full": (
        lambda server: setattr(server, "full_at", 1), "store", "max storage allowed", "Make room",
    ),
    "spent": (
        lambda server: (setattr(server, "full_at", 1), setattr(server, "full", SPENT)),
        "store", "current month", "raise its limit",
    ),
    "forbidden": (
        lambda server: setattr(server, "forbidden", "This key may not write"),
        "key-refused", "does not accept the key in PINECONE_API_KEY", ".env",
    ),
    "failing": (
        lambda server: setattr(server, "faults", Faults(1, ("500",))), "store", "500", "later",
    ),
}  # fmt: skip


def healed(server: PineconeServer) -> None:
    server.faults, server.full_at, server.forbidden = Faults(), None, None


def pinecone(port: int) -> list[str]:
    url, options = f"http://127.0.0.1:{port}", "retries=0 timeout_s=0.5 create=true"
    given = ["use=pinecone", f"url={url}", *options.split()]
    return [*(part for one in given for part in ("--set", f"store.{one}")), "--json"]


def settled(here: Run, server: PineconeServer, *flags: str) -> None:
    """The store holds what the ledger does, and neither command finds more to do."""
    figures = answer(here("status", "--json"))
    held = server.space("default").vectors
    assert len(held) == figures["chunks"] == figures["embedded"] > 0
    texts = sorted(vector["metadata"]["text"] for vector in held.values())
    assert len(set(texts)) == len(texts)
    sent = len(server.requests)
    assert answer(here("sync", *flags))["vectors"] == 0
    assert answer(here("ingest", *flags))["unchanged"] == figures["files"]
    writes = [
        path for _, path in server.requests[sent:] if path in ("/vectors/upsert", "/vectors/delete")
    ]
    assert writes == []


@pytest.mark.parametrize("name", [*TROUBLES, "refused", "down"])
def test_what_a_store_does_not_take_goes_there_the_next_time(
    here: Run, notes: Path, name: str
) -> None:
    port = free_port()
    flags = pinecone(port)
    with pinecone_server.serving(None, port) as server:
        assert here("ingest", "notes", *flags, key=KEY).returncode == 0
        before = set(server.space("default").vectors)
        (notes / "goats.txt").write_text("The goats are milked at seven in the morning.\n")
        (notes / "ducks.md").write_text("# Ducks\n\nDucks lay at dawn.\n")
        if name in TROUBLES:
            break_it, code, words, fix = TROUBLES[name]
            break_it(server)
            said = refusal(here("ingest", "notes", *flags))
        elif name == "refused":
            code, words, fix = "key-refused", "does not accept the key", "PINECONE_API_KEY"
            said = refusal(here("ingest", "notes", *flags, key="wrong-key"))
        spaces, indexes = server.spaces, server.indexes
    if name == "down":
        code, words, fix = "network", f"cannot be reached (at 127.0.0.1:{port})", "Check"
        said = refusal(here("ingest", "notes", *flags))
        asked = refusal(here("search", "goats", *flags))
        assert "--mode lexical" in asked["fix"]
    assert said["code"] == code
    assert words in said["message"]
    assert fix in said["fix"] and "ragcli sync" in said["fix"]
    assert "wrong-key" not in said["message"] + said["fix"]
    found = paths(here("search", "goats milked seven", "--mode", "lexical", *flags))
    assert found[0] == "notes/goats.txt"
    with pinecone_server.serving(None, port) as server:
        server.spaces, server.indexes = spaces, indexes
        again = ["sync"] if name in ("down", "full", "slow") else ["ingest", "notes"]
        assert here(*again, *flags, key=KEY).returncode == 0
        assert set(server.space("default").vectors) - before
        settled(here, server, *flags)
        assert paths(here("search", "When do ducks lay?", *flags))[0] == "notes/ducks.md"


def test_a_question_says_that_its_store_is_behind(here: Run, notes: Path) -> None:
    port = free_port()
    flags = pinecone(port)
    assert here("ingest", "notes").returncode == 0
    with pinecone_server.serving(None, port):
        found = answer(here("search", "goats", *flags, key=KEY))
        assert found["hits"] and any("ragcli sync" in warning for warning in found["warnings"])
        assert here("sync", *flags).returncode == 0
        assert answer(here("search", "goats", *flags))["warnings"] == []


# From store to store


@pytest.fixture
def lance(tmp_path: Path) -> list[str]:
    pytest.importorskip("lancedb")
    return ["--set", "store.use=lancedb", "--set", f"store.uri={tmp_path / 'vectors'}"]


def test_a_collection_goes_to_a_store_and_comes_back(
    here: Run, notes: Path, lance: list[str]
) -> None:
    chunks = answer(here("ingest", "notes", "--json"))["chunks"]
    there = ["--set", lance[3]]
    plan = answer(here("sync", "--to", "lancedb", *there, "--dry-run", "--json"))
    assert (plan["schema"], plan["dry_run"]) == ("ragcli.sync/1", True)
    assert (plan["vectors"], plan["deletions"], plan["requests"]) == (chunks, 0, 1)
    assert plan["bytes"] > 384 * chunks and "held" not in plan
    assert "Would send" in here("sync", "--to", "lancedb", *there, "--dry-run").stdout
    done = answer(here("sync", "--to", "lancedb", *there, "--json"))
    assert (done["vectors"], done["held"]) == (chunks, chunks)
    assert "sent 0, erased 0" in here("sync", "--to", "lancedb", *there).stdout
    (notes / "goats.txt").unlink()
    assert here("ingest").returncode == 0
    assert "sent 0, erased 1" in here("sync", "--to", "lancedb", *there).stdout

    asked = ("search", "where is the hive", "--json")
    meant = meanings(here(*asked))
    assert meanings(here(*asked, *lance)) == meant
    other = ["--data-dir", "elsewhere"]
    back = ("sync", "--from", "lancedb", *there, *other)
    assert "Would make the collection 'default'" in here(*back, "--dry-run").stdout
    assert refusal(here("list", *other, "--json"), 2)["code"] == "no-collection"
    made = answer(here(*back, "--json"))
    assert (made["files"], made["chunks"], made["cut"]) == (1, chunks - 1, 0)
    assert meanings(here(*asked, *other)) == meant
    assert answer(here("ingest", *other, "--json"))["unchanged"] == 1
    assert "already" in refusal(here(*back, "--json"), 2)["message"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--to", "pinecoen"], "There is no store called 'pinecoen'"),
        (["--to", "embedded"], "follows the ledger by itself"),
        (["--to", "chroma", "--from", "qdrant"], "one way"),
        (["--to", "qdrant", "--set", "store.index=x"], "store.index"),
        (["--to", "pinecone"], "PINECONE_API_KEY holds none"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    here: Run, workshop: Path, typed: list[str], words: str
) -> None:
    said = refusal(here("sync", *typed, "--data-dir", str(workshop), "--json"), 2)
    assert words in said["message"]


# Without the ledger


@pytest.fixture
def far(here: Run, notes: Path, lance: list[str]) -> Iterator[list[str]]:
    """Flags with which a machine asks that has the store and no ledger."""
    pages = notes / "pages.ipynb"
    texts = ("Swans swim on the lake. " * 40, "Storks nest on the roof. " * 40)
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in texts]
    pages.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    assert here("ingest", "notes", *lance).returncode == 0
    return [*lance, "--data-dir", "elsewhere"]


def test_a_machine_without_the_ledger_asks_by_meaning(here: Run, far: list[str]) -> None:
    found = answer(here("search", "where is the hive", *far, "--json"))
    assert found["hits"][0]["document"] == "notes/bees.md"
    assert {hit["scores"]["lexical"] for hit in found["hits"]} == {None}
    assert any("by meaning only" in warning for warning in found["warnings"])
    quoted = answer(here("query", "Where does the hive stand?", *far, "--json"))
    assert "behind the barn" in quoted["answer"]
    assert quoted["citations"][0]["lines"] == [3, 3]
    explained = here("search", "where is the hive", *far, "--explain", "--by", "document")
    assert "by meaning" in explained.stdout and "“hive”" in explained.stdout
    assert (
        "sync --from lancedb"
        in refusal(here("search", "hive", *far, "--mode", "lexical", "--json"), 2)["fix"]
    )
    assert refusal(here("list", *far, "--json"), 2)["code"] == "no-collection"


@pytest.mark.parametrize("use", ["lancedb", "qdrant", "chroma"])
def test_a_question_to_nothing_leaves_no_trace(here: Run, tmp_path: Path, use: str) -> None:
    flags = ("--set", f"store.use={use}", "--data-dir", "data", "--json")
    assert refusal(here("search", "hive", *flags), 2)["code"] == "no-collection"
    assert not (tmp_path / "data").exists()


def test_filters_without_the_ledger_hold_or_are_refused(here: Run, far: list[str]) -> None:
    asked = ("search", "birds", *far, "-k", "9", "--json")
    assert {hit["page"] for hit in answer(here(*asked))["hits"]} >= {None, 1, 2}
    second = answer(here(*asked, "--filter", "page:2"))["hits"]
    assert second and {hit["page"] for hit in second} == {2}
    assert all(hit["text"].startswith("Storks") for hit in second)
    assert answer(here(*asked, "--filter", "page:7"))["hits"] == []
    for other in ("type:markdown", "path:notes/**", "title:bees", "after:2024", "page:1 type:md"):
        said = refusal(here(*asked, "--filter", other), 2)
        assert "only page:" in said["message"] and "sync --from lancedb" in said["fix"]

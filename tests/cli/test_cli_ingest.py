"""Bringing a collection level from the command line: counts, stdin, one-shot use, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from calling import Run, environment


def report(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(result.stdout)
    counted = sum(figures[name] for name in ("added", "updated", "unchanged", "moved"))
    assert figures["seen"] == counted + len(figures["skipped"]) + len(figures["failed"])
    assert figures["schema"] == "ragcli.ingest/1"
    return figures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "bees.md").write_text("# Bees\n\nThe hive stands behind the barn.\n")
    (folder / "goats.txt").write_text("The goats are milked at six in the morning.\n")
    (folder / ".hidden.md").write_text("hidden\n")
    (folder / "server.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    return folder


def test_a_folder_is_brought_level_again_and_again(ragcli: Run, folder: Path) -> None:
    first = report(ragcli("ingest", "notes", "--json"))
    assert (first["added"], len(first["skipped"]), first["collection"]) == (2, 3, "default")
    assert {skip["path"] for skip in first["skipped"]} == {
        "notes/.hidden.md", "notes/server.pem", "notes/photo.png",
    }  # fmt: skip
    assert report(ragcli("ingest", "--json"))["unchanged"] == 2
    (folder / "bees.md").rename(folder / "hives.md")
    (folder / "goats.txt").write_text("The goats are milked at seven in the morning.\n")
    (folder / "ducks.md").write_text("Ducks lay at dawn.\n")
    third = report(ragcli("ingest", "notes", "--json"))
    assert (third["moved"], third["updated"], third["added"]) == (1, 1, 1)
    (folder / "ducks.md").unlink()
    assert report(ragcli("ingest", "notes", "--json"))["deleted"] == 1
    answer = json.loads(ragcli("query", "When are the goats milked?", "--json").stdout)
    assert "seven" in answer["answer"]
    assert answer["citations"][0]["document"] == "notes/goats.txt"
    assert answer["citations"][0]["lines"] == [1, 1]


def test_a_dry_run_changes_nothing(ragcli: Run, folder: Path) -> None:
    assert report(ragcli("ingest", "notes", "--dry-run", "--json"))["added"] == 2
    assert ragcli("status").returncode == 2


def test_a_broken_document_fails_and_the_rest_goes_on(ragcli: Run, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing that follows is a PDF\n")
    result = ragcli("ingest", "notes", "--json")
    assert result.returncode == 4
    figures = report(result)
    assert figures["added"] == 2
    assert figures["failed"][0]["path"] == "notes/broken.pdf"
    spoken = ragcli("ingest", "notes")
    assert spoken.returncode == 4
    assert "broken.pdf" in spoken.stderr


def test_a_document_from_stdin(ragcli: Run) -> None:
    text = "# Ferry\n\nThe ferry to the island leaves at 12:30 from pier two.\n"
    result = ragcli("ingest", "-", "--name", "ferry.md", "--json", input=text)
    assert report(result)["added"] == 1
    question = "When does the ferry to the island leave?\n"
    answer = json.loads(ragcli("query", "-", "--json", input=question).stdout)
    assert answer["citations"][0]["document"] == "ferry.md"
    assert answer["citations"][0]["lines"] == [3, 3]


def test_one_shot_use_leaves_no_collection(ragcli: Run, folder: Path, tmp_path: Path) -> None:
    asked = ("query", "Where is the hive?", "--in", "notes/bees.md", "notes/goats.txt", "--json")
    for _ in range(2):
        result = ragcli(*asked)
        answer = json.loads(result.stdout)
        assert result.returncode == 0
        assert "behind the barn" in answer["answer"]
        assert answer["citations"][0]["document"] == "notes/bees.md"
    assert not (tmp_path / "home" / "data").exists()
    assert ragcli("query", "notes/bees.md", "--in", "notes", "Where is it?").returncode == 2


def test_one_shot_use_notices_a_change(ragcli: Run, folder: Path) -> None:
    asked = ("query", "Where does the hive stand?", "--in", "notes", "--json")
    assert "barn" in json.loads(ragcli(*asked).stdout)["answer"]
    (folder / "bees.md").write_text("# Bees\n\nThe hive stands beside the well.\n")
    assert "well" in json.loads(ragcli(*asked).stdout)["answer"]


def test_rm_takes_documents_out_and_leaves_the_files(ragcli: Run, folder: Path) -> None:
    ragcli("ingest", "notes")
    removed = json.loads(ragcli("rm", "notes/bees.md", "--json").stdout)
    assert [Path(path).name for path in removed["removed"]] == ["bees.md"]
    assert (folder / "bees.md").exists()
    assert [item["path"] for item in json.loads(ragcli("list", "--json").stdout)["documents"]] == [
        "notes/goats.txt"
    ]
    assert ragcli("rm", "notes/bees.md").returncode == 2
    gone = ragcli("list", "notes/bees.md")
    assert (gone.returncode, gone.stdout) == (0, "")
    assert "holds no file at or below notes/bees.md" in gone.stderr
    nothing = ragcli("search", "goats", "--filter", "path:notes/bees.md")
    assert "No document fits the filter" in nothing.stderr


def test_collections_and_data_folders_keep_documents_apart(
    ragcli: Run, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / ".ragcli").mkdir()
    assert ragcli("ingest", "notes/bees.md", "-c", "bees").returncode == 0
    assert ragcli("ingest", "notes/goats.txt", "-c", "goats").returncode == 0
    assert not (tmp_path / "home" / "data").exists()
    assert json.loads(ragcli("list", "-c", "bees", "--json").stdout)["documents"][0][
        "path"
    ].endswith("bees.md")
    assert ragcli("status", "-c", "goats", cwd=folder).returncode == 0
    assert ragcli("status", "-c", "neither").returncode == 2


def test_settings_come_from_every_layer(ragcli: Run, folder: Path, tmp_path: Path) -> None:
    ragcli("ingest", "notes")
    (tmp_path / "ragcli.yaml").write_text("retrieval:\n  top_k: 1\n")

    def hits(*arguments: str, **env: str) -> int:
        result = ragcli("search", "milk and hives", "--json", *arguments, env=env)
        return len(json.loads(result.stdout)["hits"])

    assert hits() == 1
    assert hits(RAGCLI_RETRIEVAL__TOP_K="2") == 2
    assert hits("--top-k", "1", RAGCLI_RETRIEVAL__TOP_K="2") == 1
    shown = json.loads(ragcli("config", "show", "retrieval.top_k", "--json").stdout)
    assert shown["settings"]["retrieval.top_k"]["origin"].endswith("ragcli.yaml")
    (tmp_path / ".env").write_text("RAGCLI_RETRIEVAL__TOP_K=2\n")
    assert hits() == 2


def test_hostile_names_and_texts_reach_no_stream_raw(ragcli: Run, folder: Path) -> None:
    name = "bell\x07 \x1b[31m\u202egnp.md"
    (folder / name).write_text("The parrot \x1b]0;pwned\x07 lives in \u202ethe kitchen.\n")
    ragcli("ingest", "notes", "-v")
    for command in (["query", "Where does the parrot live?"], ["search", "parrot"], ["list"]):
        for flags in ([], ["--json"]):
            result = ragcli(*command, *flags)
            assert result.returncode == 0, result.stderr
            shown = result.stdout + result.stderr
            assert not set(shown) & set("\x07\x1b\u202e\x9b")
            assert "parrot" in shown or command == ["list"]


@pytest.mark.parametrize("seconds", [1.0, 4.0])
def test_ctrl_c_keeps_what_was_done(
    ragcli: Run, tmp_path: Path, cache_dir: Path, seconds: float
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        text = "\n\n".join(
            f"Paragraph {line} of note {number} speaks of {line * number}." for line in range(30)
        )
        (folder / f"{number:03d}.txt").write_text(text)
    child = subprocess.Popen(
        [sys.executable, "-m", "ragcli", "ingest", str(folder)],
        env=environment(tmp_path / "home", cache_dir), cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        # A shell ignores SIGINT for what it starts in the background, perhaps these very tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    time.sleep(seconds)
    os.killpg(child.pid, signal.SIGINT)
    _, spoken = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in spoken
    assert seconds < 2 or "What was done is kept" in spoken
    figures = report(ragcli("ingest", str(folder), "--json"))
    assert figures["seen"] == 300
    status = json.loads(ragcli("status", "--json").stdout)
    assert status["embedded"] == status["chunks"] == figures["chunks"]


def test_what_was_not_read_whole_is_said(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    good = '{"text": "The tide is high at noon."}'
    (tmp_path / "docs" / "log.jsonl").write_text(f'{good}\n{{"text": \n{good}\n')
    (tmp_path / "docs" / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (tmp_path / "docs" / ".ragignore").write_text("*.tmp\n" * 100_000)
    place = ("--data-dir", str(tmp_path / "data"))
    said = ragcli("ingest", "docs", *place)
    assert said.returncode == 0, said.stderr
    assert "docs/log.jsonl: Line 2 is not valid JSON" in said.stderr
    assert "rules of" in said.stderr and "do not count" in said.stderr
    again = json.loads(ragcli("ingest", "docs", *place, "--force", "--json").stdout)
    told = {(one["path"], one["warning"].split(":")[0]) for one in again["warnings"]}
    assert ("docs/log.jsonl", "Line 2 is not valid JSON and was skipped.") in told
    status = json.loads(ragcli("status", *place, "--json").stdout)
    assert (status["files"], status["failed"], status["skipped"]) == (1, 0, 1)
    listed = ragcli("list", *place).stdout
    assert "old.doc  skipped:" in listed

"""Slips of a person or a shell: each one sentence or nothing, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from calling import Run, environment


def said(result: subprocess.CompletedProcess[str], code: int) -> str:
    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def test_no_arguments_show_the_help(ragcli: Run) -> None:
    assert said(ragcli(), 2).startswith("Usage: ragcli")
    assert said(ragcli("config"), 2).startswith("Usage: ragcli config")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--offline search words", "ragcli search --offline"),
        ("--top-k 3 words", "ragcli query --top-k"),
        ("config --offline show", "ragcli config show --offline"),
        ("--nothing query", "ragcli --help"),
    ],
)
def test_an_option_before_its_command(ragcli: Run, typed: str, meant: str) -> None:
    assert said(ragcli(*typed.split()), 2).strip().endswith(f": {meant}")


def test_an_env_file_that_is_no_text(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    assert ".env cannot be read" in said(ragcli("status"), 2)


@pytest.mark.parametrize(
    "arguments", [("config", "copy", "default", "nowhere/x.yaml")], ids=["config copy"]
)
def test_a_file_that_cannot_be_written(ragcli: Run, arguments: tuple[str, ...]) -> None:
    assert "cannot be written" in said(ragcli(*arguments), 1)


def test_a_question_longer_than_a_file_name(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("The tide is high at noon.\n")
    asked = ragcli("search", "When is the tide high? " * 30, "--in", "note.md", "--mode", "lexical")
    assert (asked.returncode, "note.md" in asked.stdout) == (0, True), asked.stderr


def test_a_batch_is_read_before_it_is_answered(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("The tide is high at noon.\n")
    (tmp_path / "batch.txt").write_text('When is the tide high?\n{"x": 1}\n')
    asked = ragcli("query", "--batch", "batch.txt", "--in", "note.md")
    assert "batch.txt:2 has no question" in said(asked, 2)


def test_every_mistake_of_a_configuration_is_named(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("retrieval:\n  topk: 3\nstoer: 1\nllm:\n  use: opneai\n")
    found = ragcli("config", "check", "--config", "c.yaml", "--json")
    assert found.returncode == 2
    problems = json.loads(found.stdout)["problems"]
    assert [one["key"] for one in problems] == ["retrieval.topk", "stoer", "llm.use"]


def test_a_closed_stdout_is_quiet(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m ragcli config list >&-"
    done = subprocess.run(
        ["sh", "-c", command],
        env=environment(tmp_path, tmp_path / "cache"),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")

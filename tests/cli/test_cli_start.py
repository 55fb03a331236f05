"""The start path stays light, and mistakes of usage are one sentence with exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from calling import Run

HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "langchain_core",
    "langchain_classic",
    "numpy",
    "faiss",
    "onnxruntime",
    "onnx",
    "tantivy",
    "tokenizers",
    "yaml",
    "sqlite3",
    "huggingface_hub",
    "pypdfium2",
    "rich",
}
PROBE = """
import sys
from ragcli.cli.app import run
code = run({arguments!r})
loaded = sorted({{name.split(".")[0] for name in sys.modules}} & {heavy!r})
print("LOADED", code, loaded, file=sys.stderr)
"""


def loaded_by(arguments: list[str], heavy: set[str]) -> str:
    code = PROBE.format(arguments=arguments, heavy=heavy)
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return child.stderr.strip().split("\n")[-1]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["query", "--help"], ["config", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(arguments, HEAVY) == "LOADED 0 []"


def test_control_the_probe_sees_what_is_loaded() -> None:
    assert "'typer'" in loaded_by(["--help"], {"typer"})


def test_every_name_of_the_list_can_be_imported() -> None:
    import importlib.util

    assert [name for name in HEAVY if importlib.util.find_spec(name) is None] == []


def test_help_names_every_verb(ragcli: Run) -> None:
    shown = ragcli("--help")
    assert shown.returncode == 0
    for verb in ("ingest", "query", "search", "status", "list", "show", "rm", "config", "doctor"):
        assert f"\n  {verb} " in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serch", "x"], "search"),
        (["query"], "There is no question"),
        (["query", "how", "do", "I"], 'ragcli query "how do I"'),
        (["query", "x", "--jsonl"], "--jsonl needs --batch"),
        (["query", ""], "The question is empty"),
        (["search", "x", "--mode", "fuzzy"], "retrieval.mode"),
        (["search", "x", "--top-k", "0"], "top-k"),
        (["search", "x", "--batch", "nothing.txt"], "not both"),
        (["search", "--batch", "nothing.txt"], "There is no file nothing.txt"),
        (["query", "x", "--config", "nothing"], "profile called 'nothing'"),
        (["query", "x", "--set", "retrieval.topk=3"], "did you mean 'top_k'?"),
        (["query", "x", "--collection", "../x"], "collection"),
        (["ingest", "nothing/here"], "nothing/here"),
        (["ingest", "--name", "a.md"], "--name"),
        (["show", "--context", "-1", "x"], "context"),
    ],
)
def test_a_mistake_is_one_sentence(ragcli: Run, arguments: list[str], words: str) -> None:
    result = ragcli(*arguments)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("verb", ["query", "search", "show"])
def test_nothing_ingested_yet_says_what_to_type(ragcli: Run, verb: str) -> None:
    result = ragcli(verb, "anything")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "ragcli ingest" in result.stderr


def test_with_json_an_error_is_one_json_line(ragcli: Run) -> None:
    for arguments in (["query", "x", "--set", "a.b=1"], ["query", "--bogus"], ["status"]):
        result = ragcli(*arguments, "--json")
        assert result.returncode == 2
        assert result.stdout == ""
        error = json.loads(result.stderr)
        assert error["schema"] == "ragcli.error/1"
        assert set(error["error"]) == {"code", "message", "fix"}


def test_version(ragcli: Run) -> None:
    from ragcli import __version__

    assert ragcli("--version").stdout == f"ragcli {__version__}\n"

"""Reads question sets: BEIR folders, JSONL and CSV files, told apart by what is there.

A line that cannot be used is left out and named in the set's problems, never passed over in silence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.evaluate import beir
from ragcli.evaluate.cells import json_cells
from ragcli.evaluate.questions import Item, Kind, Problem, QuestionSet
from ragcli.evaluate.rows import csv_rows, item_of

Found = Iterable[Item | Problem]


def load(path: Path, *, split: str | None = None) -> QuestionSet:
    """Read the question set at `path`; `split` chooses among the qrels of a BEIR folder.

    Raises UsageError where there is no question set, or none of its questions can be used.
    """
    kind, chosen, found = _opened(path, split)
    items: dict[str, Item] = {}
    problems: list[Problem] = []
    for one in found:
        if isinstance(one, Problem):
            problems.append(one)
        elif one.id in items:
            first = items[one.id].line
            problems.append(
                Problem(one.file, one.line, f"the id {one.id!r} is that of line {first}")
            )
        else:
            items[one.id] = one
    if not items:
        why = f" {problems[0]}." if problems else ""
        raise UsageError(f"{path} holds no question that can be used.{why}", _HOW)
    name = path.absolute().name + (f"/{chosen}" if chosen else "")
    questions = list(items.values())
    return QuestionSet(name, path, kind, chosen, questions, problems, _digest(questions))


_HOW = (
    "A set is a BEIR folder, or a JSONL or CSV file with a question and its document, page or"
    " answer in each line."
)


def _opened(path: Path, split: str | None) -> tuple[Kind, str | None, Found]:
    if path.is_dir():
        if not (path / "queries.jsonl").is_file():
            raise UsageError(f"{path} is a folder without queries.jsonl.", _HOW)
        chosen = beir.chosen_split(path, split)
        return "beir", chosen, beir.read(path, chosen)
    if not path.is_file():
        raise UsageError(f"There is no question set at {path}.", _HOW)
    if split is not None:
        raise UsageError(f"{path} has no splits.", "Leave out --split: it is for BEIR folders.")
    if _looks_like_json(path):
        return "jsonl", None, _items(path, json_cells(path))
    return "csv", None, _items(path, csv_rows(path))


def _looks_like_json(path: Path) -> bool:
    if path.suffix.lower() in (".csv", ".tsv"):
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return next((line.lstrip() for line in file if line.strip()), "").startswith(("{", "["))


def _items(
    path: Path, rows: Iterator[tuple[int, dict[str, object] | str]]
) -> Iterator[Item | Problem]:
    for line, row in rows:
        made = item_of(row, path.name, line) if isinstance(row, dict) else row
        yield Problem(path.name, line, made) if isinstance(made, str) else made


def _digest(items: Iterable[Item]) -> str:
    """The same for the same questions and expectations, in any order and from any file."""
    lines = sorted(
        json.dumps([item.id, item.text, [repr(place) for place in item.expected], item.answers])
        for item in items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

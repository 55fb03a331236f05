"""Reads folders as BEIR lays them out: queries.jsonl and qrels/SPLIT.tsv beside corpus.jsonl.

Format: Thakur et al. 2021, github.com/beir-cellar/beir. Qrels in the four columns of TREC are
read too. Only the questions of the chosen split are taken; the corpus is left to `ingest`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.evaluate.questions import Expected, Item, Problem

PREFERRED = ("test", "dev")


def chosen_split(folder: Path, split: str | None) -> str:
    """The split to read: as asked for, else test, dev, or the only one. Raises UsageError."""
    splits = sorted(file.stem for file in (folder / "qrels").glob("*.tsv"))
    if split in splits:
        return split
    known = ", ".join(splits) or "none"
    if split is not None:
        raise UsageError(f"{folder} has no qrels/{split}.tsv.", f"Its splits: {known}.")
    preferred = [name for name in PREFERRED if name in splits]
    if not preferred and len(splits) != 1:
        raise UsageError(
            f"{folder}/qrels holds several splits, or none: {known}.", "Choose with --split NAME."
        )
    return (preferred or splits)[0]


def read(folder: Path, split: str) -> Iterator[Item | Problem]:
    """The questions of a split with the documents that answer them, and what cannot be used."""
    texts = yield from _queries(folder / "queries.jsonl")
    name = f"qrels/{split}.tsv"
    expected: dict[str, dict[str, Expected]] = {}
    lines: dict[str, int] = {}
    judged = set()
    for number, line in _lines(folder / name):
        row = _qrel(line)
        if row is None:
            if number > 1:
                yield Problem(name, number, "it is not QUESTION, DOCUMENT and a whole number")
            continue
        question, document, grade = row
        if question not in texts:
            yield Problem(name, number, f"the question {question!r} is not in queries.jsonl")
            continue
        judged.add(question)
        if grade > 0:
            lines.setdefault(question, number)
            expected.setdefault(question, {})[document] = Expected(document, grade=grade)
    for question in sorted(judged - expected.keys()):
        yield Problem(name, 1, f"the question {question!r} has no relevant document")
    for question, places in expected.items():
        yield Item(
            question, texts[question], tuple(places.values()), file=name, line=lines[question]
        )


def _queries(path: Path) -> Generator[Problem, None, dict[str, str]]:
    texts: dict[str, str] = {}
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            texts[str(row["_id"])] = row["text"].strip()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            yield Problem(path.name, number, "it is not a JSON object with _id and text")
    return {id: text for id, text in texts.items() if text}


def _qrel(line: str) -> tuple[str, str, int] | None:
    parts = line.split("\t") if "\t" in line else line.split()
    if len(parts) not in (3, 4):
        return None
    try:
        return parts[0].strip(), parts[-2].strip(), int(parts[-1])
    except ValueError:
        return None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line.rstrip("\n")

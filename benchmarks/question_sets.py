"""The public question sets that retrieval is measured on, read from their folders.

SciFact is the set of BEIR (Thakur et al. 2021; github.com/beir-cellar/beir, `scifact.zip`): a
folder with corpus.jsonl, queries.jsonl and qrels/{train,test}.tsv. SQuAD is version 1.1
(Rajpurkar et al. 2016) as passages.jsonl (`_id`, `title`, `text`) and dev.jsonl (`_id`,
`passage`, `question`), with 42 of its articles in dev.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 7


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions by id, and for each the ids of the documents that answer it."""

    name: str
    corpus: Path
    texts: dict[str, str]
    relevant: dict[str, set[str]]


def scifact(folder: Path, split: str) -> Questions:
    """The questions of a split, `train` or `test`."""
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels" / f"{split}.tsv").read_text().splitlines()[1:]:
        question, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(question, set()).add(document)
    texts = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    asked = {question: texts[question] for question in relevant}
    return Questions(f"SciFact {split}", folder / "corpus.jsonl", asked, relevant)


def squad(folder: Path, size: int) -> Questions:
    """A fixed random sample of the dev questions, each to find its one passage among all."""
    rows = list(_rows(folder / "dev.jsonl"))
    random.Random(SEED).shuffle(rows)
    rows = rows[:size]
    return Questions(
        "SQuAD dev",
        folder / "passages.jsonl",
        {row["_id"]: row["question"] for row in rows},
        {row["_id"]: {row["passage"]} for row in rows},
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)

"""The rows of the trainer on disk: an Arrow file that is mapped, so that its size costs no memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PORTION = 1000


@dataclass(slots=True)
class Facts:
    """What batches are made by, per row: question, passages, right answers."""

    questions: list[str] = field(default_factory=list)
    passages: list[frozenset[str]] = field(default_factory=list)
    relevant: list[frozenset[str]] = field(default_factory=list)
    labels: list[float | None] = field(default_factory=list)


def open_rows(source: Path, target: Path) -> tuple[Any, Facts]:
    """A `datasets.Dataset` over the rows, with columns `text_0`, `text_1`... and perhaps `label`."""
    from datasets import Dataset
    from pyarrow import RecordBatch, ipc

    facts = Facts()
    writer = None
    try:
        for portion in _portions(source):
            columns = _columns(portion)
            batch = RecordBatch.from_pydict(columns)
            if writer is None:
                writer = ipc.new_stream(str(target), batch.schema)
            writer.write_batch(batch)
            for row in portion:
                _note(facts, row)
    finally:
        if writer is not None:
            writer.close()
    return Dataset.from_file(str(target)), facts


def _columns(portion: list[dict[str, Any]]) -> dict[str, list[Any]]:
    width = len(portion[0]["texts"])
    columns: dict[str, list[Any]] = {
        f"text_{at}": [row["texts"][at] for row in portion] for at in range(width)
    }
    if portion[0]["label"] is not None:
        columns["label"] = [row["label"] for row in portion]
    return columns


def _note(facts: Facts, row: dict[str, Any]) -> None:
    facts.questions.append(row["question"])
    facts.passages.append(frozenset(row["passages"]))
    facts.relevant.append(frozenset(row["relevant"]))
    facts.labels.append(row["label"])


def _portions(source: Path) -> Iterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    with source.open(encoding="utf-8") as lines:
        for line in lines:
            portion.append(json.loads(line))
            if len(portion) == PORTION:
                yield portion
                portion = []
    if portion:
        yield portion

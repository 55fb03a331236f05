"""The rows of the trainer on disk: an Arrow file that is mapped, so that its size costs no memory."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

PORTION = 1000


class Facts:
    """What batches are made by, per row: its question, its passages, the right answers, its topic.

    Names are held as numbers in flat arrays, some 60 bytes for a row of a question and an answer.
    """

    def __init__(self) -> None:
        self.questions = array("Q")
        self.topics = array("l")
        self._passages, self._relevant = Lists(), Lists()

    def __len__(self) -> int:
        """Rows."""
        return len(self.questions)

    def add(
        self, question: str, passages: Iterable[str], relevant: Iterable[str], topic: int = 0
    ) -> None:
        """One more row."""
        self.questions.append(_number(question))
        self.topics.append(topic)
        self._passages.add(map(_number, passages))
        self._relevant.add(map(_number, relevant))

    def passages(self, row: int) -> frozenset[int]:
        """The passages of a row."""
        return self._passages[row]

    def relevant(self, row: int) -> frozenset[int]:
        """The right answers to the question of a row."""
        return self._relevant[row]


class Lists:
    """Sets of numbers, end to end in one array."""

    def __init__(self) -> None:
        self._flat, self._ends = array("Q"), array("Q", [0])

    def add(self, numbers: Iterable[int]) -> None:
        """One more set."""
        self._flat.extend(numbers)
        self._ends.append(len(self._flat))

    def __getitem__(self, at: int) -> frozenset[int]:
        """The set at this place."""
        return frozenset(self._flat[self._ends[at] : self._ends[at + 1]])


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())


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
                facts.add(row["question"], row["passages"], row["relevant"], row["topic"])
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

"""Batches in which no row's answer stands as a wrong one of another row.

In-batch negatives are only right where no other row of the batch holds an answer to the question:
so known positives are masked by never meeting. The order depends on the seed and the epoch alone.
Rows of a topic stand side by side: what else is in a batch is then hard to rule out.
Batches are not of like length, or a small set would meet in the same batches in every epoch: their
passes through the model are cut by length instead (slices.py).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from itertools import groupby

from sentence_transformers.base.sampler import DefaultBatchSampler

from ragcli.finetune.dataset import Facts

AHEAD = 64
"""Batches' worth of rows that are looked through at once: the time grows with the rows, not their square."""
MANY = 4
"""Of a question with more rows than this, one is drawn in each epoch."""


class Apart(DefaultBatchSampler):  # type: ignore[misc]
    """A batch sampler over the rows described by `facts`; `apart` keeps known positives apart."""

    def __init__(
        self, facts: Facts, batch_size: int, seed: int, *, apart: bool, classes: bool
    ) -> None:
        self.batch_size = batch_size
        self.drop_last = False
        self.epoch = 0
        self._facts, self._seed, self._apart, self._classes = facts, seed, apart, classes
        self._length = sys.maxsize
        self._length = len(self._planned(0))

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches in an epoch, exactly as many in each."""
        return self._length

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of the epoch, as row numbers."""
        batches = self._planned(self.epoch)
        for at in range(self._length):
            yield batches[at % len(batches)]

    def _planned(self, epoch: int) -> list[list[int]]:
        draw = random.Random(f"{self._seed} {epoch}")
        rows = self._drawn(draw)
        draw.shuffle(rows)
        if self._classes:
            batches = [
                rows[at : at + self.batch_size] for at in range(0, len(rows), self.batch_size)
            ]
            return [batch for batch in batches if len(batch) > 1] or batches
        batches = self._cut(self._by_topic(rows, draw))
        draw.shuffle(batches)
        # An epoch that has one more than the first loses a short one.
        return sorted(batches, key=len, reverse=True) if len(batches) > self._length else batches

    def _by_topic(self, rows: list[int], draw: random.Random) -> list[int]:
        """Rows of a topic side by side, the topics in an order of this epoch."""
        topics = sorted(set(self._facts.topics))
        draw.shuffle(topics)
        place = {topic: at for at, topic in enumerate(topics)}
        return sorted(rows, key=lambda row: place[self._facts.topics[row]])

    def _drawn(self, draw: random.Random) -> list[int]:
        if not self._apart:
            return list(range(len(self._facts)))
        rows: list[int] = []
        # The rows of a question stand together.
        for _, group in groupby(range(len(self._facts)), self._facts.questions.__getitem__):
            those = list(group)
            rows += those if len(those) <= MANY else [draw.choice(those)]
        return rows

    def _cut(self, rows: list[int]) -> list[list[int]]:
        batches: list[list[int]] = []
        waiting: list[int] = []
        step = AHEAD * self.batch_size
        for at in range(0, len(rows), step):
            waiting += rows[at : at + step]
            last = at + step >= len(rows)
            while waiting and (last or len(waiting) > step // 2):
                batch, waiting = self._fill(waiting)
                batches.append(batch)
        # A lone row has nothing to be told apart from.
        if self._apart and len(batches) > 1 and len(batches[-1]) == 1:
            batches.pop()
        return batches

    def _fill(self, rows: list[int]) -> tuple[list[int], list[int]]:
        if not self._apart:
            return rows[: self.batch_size], rows[self.batch_size :]
        facts = self._facts
        batch, later = list[int](), list[int]()
        asked, held, right = set[int](), set[int](), set[int]()
        for at, row in enumerate(rows):
            if len(batch) == self.batch_size:
                return batch, later + rows[at:]
            passages, relevant = facts.passages(row), facts.relevant(row)
            if facts.questions[row] in asked or passages & right or relevant & held:
                later.append(row)
                continue
            batch.append(row)
            asked.add(facts.questions[row])
            held |= passages
            right |= relevant
        return batch, later

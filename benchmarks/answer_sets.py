"""Questions with known answers, for fitting and measuring answers.

SQuAD 1.1 (Rajpurkar et al. 2016, CC BY-SA 4.0) as a folder with passages.jsonl (`_id`, `title`,
`text`), train.jsonl and dev.jsonl (`_id`, `passage`, `question`, `answers`), split by article.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SEED = 7
ALIKE = 0.6
"""Share of a passage's words found in the gold passage from which, with the answer, it is a copy."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question, its accepted answers and the id of the passage that holds one."""

    id: str
    question: str
    answers: tuple[str, ...]
    passage: str

    @property
    def article(self) -> str:
        """The article that the passage belongs to."""
        return self.passage.rsplit("#", 1)[0]


def squad(folder: Path, split: str, size: int) -> list[Item]:
    """A fixed random sample of the questions of a split, `train` or `dev`."""
    with (folder / f"{split}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(SEED).shuffle(rows)
    items = [
        Item(row["_id"], row["question"], tuple(row["answers"]), row["passage"]) for row in rows
    ]
    return [item for item in items if any(map(normal, item.answers))][:size]


def passages(folder: Path) -> dict[str, str]:
    """The text of every passage by its id."""
    with (folder / "passages.jsonl").open(encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return {row["_id"]: row["text"] for row in rows}


def normal(text: str) -> str:
    """The words of a text in lower case, without punctuation, parted by one space."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def contains(text: str, answers: Iterable[str]) -> bool:
    """Whether a text holds one of the answers, whole words compared, case and punctuation not."""
    said = f" {normal(text)} "
    return any(f" {normal(answer)} " in said for answer in answers if normal(answer))


def also_answers(text: str, item: Item, gold: str) -> bool:
    """Whether another passage is a near copy of the gold one that holds the answer too."""
    words = set(normal(text).split())
    shared = len(words & set(normal(gold).split())) / max(len(words), 1)
    return shared > ALIKE and contains(text, item.answers)

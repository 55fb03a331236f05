"""What training data is once it is read: questions, passages, rows to train on. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Shape = Literal["pairs", "triplets", "scored", "labelled", "classes", "beir", "documents"]
"""`scored` pairs have a score from 0 to 1, `labelled` pairs are 0 or 1, `classes` are texts with a label."""

RATED: frozenset[Shape] = frozenset({"scored", "labelled"})
"""Shapes in which each pair says how well it goes together."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row that cannot be used, where it stands, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that answers questions; `document` is what it belongs to, for splits by document."""

    text: str
    document: str
    title: str = ""

    @property
    def whole(self) -> str:
        """The text as it is embedded: with its title in front."""
        return f"{self.title}\n\n{self.text}" if self.title else self.text


@dataclass(slots=True)
class Question:
    """A question and the passages, by id, that answer it."""

    text: str
    relevant: dict[str, int] = field(default_factory=dict)
    """In a large class one dict is shared by all of its texts, each of which is in it too."""
    refused: list[str] = field(default_factory=list)
    """Passages that the data itself names as wrong answers."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example as the trainer gets it: two texts or more, and a score where the loss wants one.

    `passages` are the ids of all texts after the first; `relevant` all that answer the first.
    """

    question: str
    texts: tuple[str, ...]
    passages: tuple[str, ...] = ()
    relevant: frozenset[str] = frozenset()
    label: float | None = None


@dataclass(slots=True)
class Material:
    """All that was read. `test` names held-out questions that the data itself sets apart."""

    name: str
    shape: Shape
    columns: dict[str, str]
    questions: dict[str, Question]
    passages: MutableMapping[str, Passage]
    scores: dict[tuple[str, str], float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    test: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    corpus: Path | None = None
    rows: int = 0

    def documents(self, ids: Iterable[str]) -> set[str]:
        """The documents that answer these questions; a text with a class is one by itself."""
        if self.labels:
            return set(ids)
        return {
            self.passages[passage].document
            for id in ids
            for passage in self.questions[id].relevant
            if passage in self.passages
        }

"""What a question set is: questions, what each expects, and what is wrong with the file. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ragcli.types import Lines

Kind = Literal["beir", "jsonl", "csv"]


@dataclass(frozen=True, slots=True)
class Expected:
    """A place that answers a question: a document, and where in it if that is known.

    `document` is a path, the end of one, or the id of a record; `doc_id` names a record of it.
    A higher `grade` is worth more.
    """

    document: str
    doc_id: str | None = None
    pages: tuple[int, ...] = ()
    lines: Lines | None = None
    grade: int = 1

    @property
    def whole(self) -> bool:
        """Whether the document as a whole is meant."""
        return not self.pages and self.lines is None


@dataclass(frozen=True, slots=True)
class Item:
    """A question, what should be found for it, and how it may be answered.

    `answers` is None where the set does not say, and empty where nothing answers the question.
    `file` and `line` say where it stands.
    """

    id: str
    text: str
    expected: tuple[Expected, ...] = ()
    answers: tuple[str, ...] | None = None
    file: str = ""
    line: int = 0

    @property
    def unanswerable(self) -> bool:
        """Whether it is known that nothing answers this question."""
        return self.answers == () and not self.expected

    @property
    def findable(self) -> bool:
        """Whether it says what should be found."""
        return bool(self.expected or self.answers)

    @property
    def by_document(self) -> bool:
        """Whether whole documents are expected; else a hit is a chunk."""
        return bool(self.expected) and all(place.whole for place in self.expected)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line of a question set."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(slots=True)
class QuestionSet:
    """Questions read from one place. `digest` is that of the questions that can be asked."""

    name: str
    path: Path
    kind: Kind
    split: str | None
    items: list[Item]
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""

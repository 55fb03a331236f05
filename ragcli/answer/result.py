"""What an answerer hands over. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ragcli.types import Citation, Hit


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a written answer, without its markers, and what checking it brought.

    `citations` are numbers of the answer's citations. `supported` is None for a sentence that
    claims nothing; `reason` says why one is not supported. `chance` is the estimated probability
    that the passages say it.
    """

    text: str
    citations: list[int]
    supported: bool | None
    reason: str | None = None
    chance: float | None = None


@dataclass(slots=True)
class Answer:
    """An answer with its citations, or the statement that the hits do not hold one.

    `text` carries a marker `[n]` behind each piece that citation `n` supports; it is None when
    nothing was found, and `reason` then says what is likely missing. `confidence` is the
    estimated probability, 0 to 1, that the text answers the question; of a written answer, that
    its least certain sentence is supported. `sentences` are those of a written answer.
    """

    status: Literal["answered", "not_found"]
    text: str | None = None
    kind: Literal["quoted", "written"] = "quoted"
    citations: list[Citation] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    confidence: float = 0.0
    warnings: list[str] = field(default_factory=list)
    reason: str = ""
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def unsupported(self) -> int:
        """How many sentences the passages do not support."""
        return sum(sentence.supported is False for sentence in self.sentences)

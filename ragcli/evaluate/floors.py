"""Floors under measures: `nDCG@10=0.7`, or `dense:nDCG@10=0.6` for one way to search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.errors import UsageError
from ragcli.evaluate.answers import OTHERS
from ragcli.evaluate.evaluation import Evaluation
from ragcli.evaluate.metrics import Measure

WORDS = ("Exact match", "F1", "ROUGE-L", "BLEU")


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that a measure may be; `mode` is None for the configured way to search."""

    measure: str
    least: float
    mode: str | None = None

    @classmethod
    def read(cls, text: str) -> Floor:
        """The floor that is written as `[MODE:]MEASURE=VALUE`; raises UsageError."""
        name, equals, value = text.rpartition("=")
        mode, colon, measure = name.rpartition(":")
        try:
            least = float(value)
        except ValueError:
            equals = ""
        if not equals or not measure:
            raise UsageError(
                f"--fail-under {text!r} is not MEASURE=VALUE.",
                "For example: --fail-under nDCG@10=0.7",
            )
        return cls(_canonical(measure), least, mode if colon else None)

    @property
    def retrieval(self) -> Measure | None:
        """The measure of retrieval that it is under; None for one of answers."""
        return None if self.measure in (*WORDS, *OTHERS) else Measure.named(self.measure)

    def __str__(self) -> str:
        return f"{self.mode}:{self.measure}" if self.mode else self.measure


def _canonical(name: str) -> str:
    spoken = name.strip().lower().replace("-", " ").replace("_", " ")
    for known in (*WORDS, *OTHERS):
        if known.lower().replace("-", " ") == spoken:
            return known
    return str(Measure.named(name))


def below(floors: Sequence[Floor], found: Evaluation) -> list[tuple[Floor, float]]:
    """The floors that are not reached, with what was measured instead.

    Raises UsageError for one whose measure was not taken: it would hold nothing.
    """
    missed = []
    for floor in floors:
        value = found.value(floor.measure, floor.mode)
        if value is None:
            raise UsageError(
                f"--fail-under {floor}: that was not measured.",
                "Answers need --answers and a set that has them; a mode must be among --mode.",
            )
        if value < floor.least:
            missed.append((floor, value))
    return missed

"""Floors under measures: `nDCG@10=0.7`, or `dense:nDCG@10=0.6` for one way to search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.errors import UsageError
from ragcli.evaluate.answers import HOLDS, OTHERS, SILENT_PRECISION, SILENT_RECALL
from ragcli.evaluate.evaluation import Evaluation
from ragcli.evaluate.metrics import Measure
from ragcli.evaluate.questions import Item

WORDS = ("Exact match", "F1", "ROUGE-L", "BLEU")
_EXAMPLE = "For example: --fail-under nDCG@10=0.7"


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
            raise UsageError(f"--fail-under {text!r} is not MEASURE=VALUE.", _EXAMPLE)
        if not math.isfinite(least):
            raise UsageError(f"--fail-under {text!r}: {value.strip()} is no floor.", _EXAMPLE)
        return cls(_canonical(measure), least, mode.strip() if colon else None)

    @property
    def retrieval(self) -> Measure | None:
        """The measure of retrieval that it is under; None for one of answers."""
        return None if self.measure in (*WORDS, *OTHERS) else Measure.named(self.measure)

    def __str__(self) -> str:
        return f"{self.mode}:{self.measure}" if self.mode else self.measure


Missed = tuple[Floor, float | None]


def _canonical(name: str) -> str:
    spoken = name.strip().lower().replace("-", " ").replace("_", " ")
    for known in (*WORDS, *OTHERS):
        if known.lower().replace("-", " ") == spoken:
            return known
    return str(Measure.named(name))


def check(
    floors: Sequence[Floor], modes: Sequence[str], items: Sequence[Item], *, answers: bool
) -> None:
    """Raise UsageError for a floor under what will not be measured: it would hold nothing.

    `modes` are the ways to search that will be measured, `answers` says whether answers will be.
    """
    for floor in floors:
        if floor.retrieval is None and not answers:
            raise UsageError(
                f"--fail-under {floor}: answers are not measured.", "Measure them with --answers."
            )
        if floor.retrieval is None and floor.mode is not None:
            raise UsageError(
                f"--fail-under {floor}: a measure of answers has no way to search before it.",
                f"Write it as: --fail-under '{floor.measure}={floor.least:g}'",
            )
        if floor.mode is not None and floor.mode not in modes:
            raise UsageError(
                f"--fail-under {floor}: {floor.mode!r} is no way to search that is measured.",
                f"Measured: {', '.join(modes)}.",
            )
        if not any(_about(floor, item) for item in items):
            raise UsageError(
                f"--fail-under {floor}: the set has no question that this is about.",
                "Leave this floor out, or add such questions to the set.",
            )


def _about(floor: Floor, item: Item) -> bool:
    if floor.retrieval is not None:
        return item.findable
    if floor.measure == SILENT_PRECISION:
        return True
    if floor.measure == SILENT_RECALL:
        return item.unanswerable
    return bool(item.answers) if floor.measure in (*WORDS, HOLDS) else not item.unanswerable


def below(floors: Sequence[Floor], found: Evaluation) -> list[Missed]:
    """The floors that are not reached, with what was measured instead.

    That is None where no question came to be one that the measure is about, such as the precision
    of citations where nothing was answered.
    """
    values = [(floor, found.value(floor.measure, floor.mode)) for floor in floors]
    return [(floor, value) for floor, value in values if value is None or value < floor.least]

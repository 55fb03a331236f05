"""Compares two evaluations of one set: every measure with its verdict, and the questions that flipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ragcli.evaluate.answers import HOLDS, SILENT_RECALL
from ragcli.evaluate.evaluation import Evaluation
from ragcli.evaluate.metrics import Values
from ragcli.evaluate.paired import Difference, compare
from ragcli.evaluate.questions import Item, QuestionSet


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one side finds within its hits, or answers rightly, and the other does not.

    `a` and `b` are ranks of what was found (None: not found), or what was said.
    """

    item: Item
    what: str
    gained: bool
    a: int | str | None
    b: int | str | None


@dataclass(slots=True)
class Comparison:
    """B against A: a difference for each measure that both have; the first decides."""

    a: Evaluation
    b: Evaluation
    differences: dict[str, Difference]
    flips: list[Flip]

    @property
    def primary(self) -> str:
        """The measure whose verdict is that of the comparison."""
        return next(iter(self.differences))

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        difference = self.differences[self.primary]
        low, high = difference.interval
        figures = (
            f"{self.primary} {difference.a:.3f} against {difference.b:.3f}, difference"
            f" {difference.difference:+.3f} [{low:+.3f}, {high:+.3f}], p {_chance(difference.p)},"
            f" {difference.questions} questions"
        )
        if difference.verdict in ("better", "worse"):
            return f"{self.b.name} is {difference.verdict} than {self.a.name}: {figures}."
        return f"Between {self.a.name} and {self.b.name} there is {difference.verdict}: {figures}."

    def as_json(self) -> dict[str, Any]:
        """The comparison's part of `ragcli.evaluate/1`."""
        return {
            "a": self.a.name,
            "b": self.b.name,
            "primary": self.primary,
            "verdict": self.differences[self.primary].verdict,
            "sentence": self.verdict,
            "measures": {
                name: {**_rounded(asdict(difference)), "verdict": difference.verdict}
                for name, difference in self.differences.items()
            },
            "flipped": [
                {"id": flip.item.id, "question": flip.item.text, "what": flip.what,
                 "gained": flip.gained, "a": flip.a, "b": flip.b}
                for flip in self.flips
            ],
        }  # fmt: skip


def versus(questions: QuestionSet, a: Evaluation, b: Evaluation, top_k: int) -> Comparison:
    """Compare the configured ways of two evaluations; a question flips at `top_k` hits."""
    first, second = a.modes[a.mode], b.modes[b.mode]
    differences = _differences(first.values, second.values)
    flips = _found(questions, first.ranks, second.ranks, top_k)
    if a.answers and b.answers:
        of_answers = _differences(a.answers.values, b.answers.values)
        if not differences:
            # Nothing answers any of these: the silence to be had decides, not that it was right.
            differences = {SILENT_RECALL: of_answers[SILENT_RECALL]}
        differences |= of_answers
        flips += _answered(questions, a, b)
    return Comparison(a, b, differences, flips)


def _differences(a: Values, b: Values) -> dict[str, Difference]:
    """A difference for each measure that both have for the same question."""
    return {
        name: compare(values, b[name])
        for name, values in a.items()
        if values.keys() & b.get(name, {}).keys()
    }


def _found(
    questions: QuestionSet, a: Mapping[str, int | None], b: Mapping[str, int | None], top_k: int
) -> list[Flip]:
    flips = []
    for item in questions.items:
        ranks = a.get(item.id), b.get(item.id)
        first, second = (rank is not None and rank <= top_k for rank in ranks)
        if first != second:
            flips.append(Flip(item, f"found in {top_k} hits", second, *ranks))
    return sorted(flips, key=lambda flip: not flip.gained)


def _answered(questions: QuestionSet, a: Evaluation, b: Evaluation) -> list[Flip]:
    assert a.answers is not None and b.answers is not None
    first, second = a.answers.values[HOLDS], b.answers.values[HOLDS]
    return [
        Flip(
            item, "right answer", second[item.id] > first[item.id],
            a.answers.said[item.id], b.answers.said[item.id],
        )
        for item in questions.items
        if item.id in first and first[item.id] != second[item.id]
    ]  # fmt: skip


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float)
        else [round(end, 4) for end in value] if isinstance(value, tuple) else value
        for name, value in values.items()
    }  # fmt: skip


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"

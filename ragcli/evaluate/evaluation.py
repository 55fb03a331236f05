"""The result of one evaluation, and its JSON form `ragcli.evaluate/1`. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ragcli.evaluate.answers import Judged
from ragcli.evaluate.paired import interval
from ragcli.evaluate.questions import Problem, QuestionSet
from ragcli.evaluate.run import Measured
from ragcli.evaluate.timing import latency

SCHEMA = "ragcli.evaluate/1"


@dataclass(slots=True)
class Evaluation:
    """One system measured on one set: each way to search, and the answers where they were asked for.

    `system` names the parts that were measured, `mode` the way to search that is configured.
    """

    name: str
    system: dict[str, Any]
    mode: str
    modes: dict[str, Measured]
    answers: Judged | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def value(self, measure: str, mode: str | None = None) -> float | None:
        """One mean; None where it was not measured."""
        measured = self.modes.get(mode or self.mode)
        if measured is not None and measure in measured.means:
            return measured.means[measure]
        return None if self.answers is None or mode else self.answers.means.get(measure)

    def as_json(self) -> dict[str, Any]:
        """What was measured; figures are rounded to what they can bear."""
        return {
            **self.system,
            "mode": self.mode,
            "modes": {
                name: _figures(measured.values, measured.milliseconds)
                for name, measured in self.modes.items()
            },
            "answers": self.answers and _figures(self.answers.values, self.answers.milliseconds),
            "warnings": self.warnings,
        }

    def each(self, questions: QuestionSet) -> list[dict[str, Any]]:
        """Every question with what it brought, in the configured way."""
        measured, answers = self.modes[self.mode], self.answers
        return [
            {
                "id": item.id,
                "question": item.text,
                "rank": measured.ranks.get(item.id),
                "answer": answers.said.get(item.id) if answers else None,
                "measures": {
                    name: round(values[item.id], 4)
                    for name, values in (
                        measured.values | (answers.values if answers else {})
                    ).items()
                    if item.id in values
                },
            }
            for item in questions.items
        ]


def _figures(
    values: Mapping[str, Mapping[str, float]], milliseconds: Mapping[str, float]
) -> dict[str, Any]:
    judged = {name: found for name, found in values.items() if found}
    return {
        "measures": {
            name: round(sum(found.values()) / len(found), 4) for name, found in judged.items()
        },
        "intervals": {
            name: [round(end, 4) for end in interval(found)] for name, found in judged.items()
        },
        "questions": {name: len(found) for name, found in judged.items()},
        "latency_ms": latency(milliseconds),
    }


def set_json(questions: QuestionSet, problems: list[Problem]) -> dict[str, Any]:
    """What was asked, and what of it could not be used or found."""
    return {
        "name": questions.name,
        "path": str(questions.path),
        "kind": questions.kind,
        "split": questions.split,
        "digest": questions.digest,
        "questions": len(questions.items),
        "unanswerable": sum(item.unanswerable for item in questions.items),
        "problems": [
            {"file": problem.file, "line": problem.line, "reason": problem.reason}
            for problem in problems
        ],
    }

"""The result of one evaluation, and its JSON form `ragcli.evaluate/1`. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ragcli.evaluate.paired import interval
from ragcli.evaluate.questions import Problem, QuestionSet
from ragcli.evaluate.run import Measured, latency

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
    problems: list[Problem] = field(default_factory=list)

    def value(self, measure: str, mode: str | None = None) -> float | None:
        """One mean; None where it was not measured."""
        measured = self.modes.get(mode or self.mode)
        return None if measured is None else measured.means.get(measure)

    def as_json(self) -> dict[str, Any]:
        """What was measured; figures are rounded to what they can bear."""
        return {
            **self.system,
            "mode": self.mode,
            "modes": {name: _mode_json(measured) for name, measured in self.modes.items()},
        }


def _mode_json(measured: Measured) -> dict[str, Any]:
    return {
        "measures": {name: round(value, 4) for name, value in measured.means.items()},
        "intervals": {
            name: [round(end, 4) for end in interval(values)]
            for name, values in measured.values.items()
        },
        "latency_ms": latency(measured.milliseconds),
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

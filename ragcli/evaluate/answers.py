"""What answers are worth: their words, their citations, and whether silence was right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.evaluate.gold import Gold, says
from ragcli.evaluate.metrics import Values, mean
from ragcli.evaluate.questions import Item
from ragcli.evaluate.wording import Compare, best, comparisons, plain

if TYPE_CHECKING:
    from ragcli.answer import Answer

HOLDS = "Holds answer"
ANSWERED = "Answered"
CITED_PRECISION = "Citation precision"
CITED_RECALL = "Citation recall"
SILENT_PRECISION = "Abstention precision"
SILENT_RECALL = "Abstention recall"
OTHERS = (HOLDS, ANSWERED, CITED_PRECISION, CITED_RECALL, SILENT_PRECISION, SILENT_RECALL)


@dataclass(slots=True)
class Judged:
    """Values by measure and question; each measure is about the questions that it can judge.

    Words and `Holds answer` are judged where answers are known, no answer counting 0; citation
    precision where an answer was given, citation recall and `Answered` where one exists;
    abstention precision where none was given, abstention recall where none exists.
    """

    values: Values = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    said: dict[str, str | None] = field(default_factory=dict)

    @property
    def means(self) -> dict[str, float]:
        """Each measure over the questions that it is about; those about none are left out."""
        return {name: mean(values) for name, values in self.values.items() if values}


def judge(
    answered: Iterable[tuple[Item, Answer]],
    golds: Mapping[str, Gold],
    advance: Callable[[], None],
) -> Judged:
    """Judge answers as they come. Raises MissingExtra before the first is asked for."""
    words = comparisons()
    judged = Judged({name: {} for name in (*words, *OTHERS)})
    for item, answer in answered:
        for name, value in _judged(item, answer, golds[item.id], words).items():
            judged.values[name][item.id] = value
        judged.milliseconds[item.id] = answer.timings_ms.get("total", 0.0)
        judged.said[item.id] = answer.text
        advance()
    return judged


def _judged(
    item: Item, answer: Answer, gold: Gold, words: Mapping[str, Compare]
) -> dict[str, float]:
    given = answer.status == "answered"
    found: dict[str, float] = {}
    if item.unanswerable:
        found[SILENT_RECALL] = float(not given)
    else:
        found[ANSWERED] = float(given)
        found |= _cited(answer, gold, given)
    if not given:
        found[SILENT_PRECISION] = float(item.unanswerable)
    if gold.answers:
        said = plain(answer.text or "")
        found[HOLDS] = float(says(said, gold.answers))
        for name, compare in words.items():
            found[name] = best(compare, said, gold.answers) if given else 0.0
    return found


def _cited(answer: Answer, gold: Gold, given: bool) -> dict[str, float]:
    held = [
        gold.holds(citation.chunk, citation.quote, citation.place) for citation in answer.citations
    ]
    found = {CITED_RECALL: float(given and any(held))}
    if given:
        found[CITED_PRECISION] = sum(held) / len(held) if held else 0.0
    return found

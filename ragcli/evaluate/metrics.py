"""The measures of retrieval, per question, computed by ir-measures (and through it trec_eval's code).

What goes in are rankings, so ties are none of its business: the order is the one that a person sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.errors import UsageError
from ragcli.registry import Plug, require

if TYPE_CHECKING:
    from ir_measures import Measure as Reference

DEPTH = 100
"""Hits that a measure without a cutoff looks at."""
PRIMARY = "nDCG@10"

NEEDS = Plug("ragcli.evaluate.metrics", "evaluate", ("ir_measures",))

_NAME = re.compile(r"([A-Za-z]+)(?:@([1-9][0-9]{0,3}))?$")
_KNOWN = {"ndcg": "nDCG", "recall": "Recall", "mrr": "MRR", "map": "MAP", "hit": "Hit",
          "precision": "Precision"}  # fmt: skip
_CUT = frozenset(("nDCG", "Recall", "Hit", "Precision"))

Values = dict[str, dict[str, float]]
"""By measure and question, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of retrieval: nDCG, Recall, MRR, MAP, Hit or Precision, with a cutoff."""

    kind: str
    cutoff: int | None = None

    @classmethod
    def named(cls, name: str) -> Measure:
        """The measure of this name, such as `nDCG@10`; raises UsageError."""
        match = _NAME.match(name.strip())
        kind = _KNOWN.get(match[1].lower()) if match else None
        if match is None or kind is None or (kind in _CUT and match[2] is None):
            raise UsageError(
                f"There is no measure {name!r}.",
                "Known: nDCG@K, Recall@K, Hit@K, Precision@K, MRR, MRR@K, MAP, MAP@K.",
            )
        return cls(kind, int(match[2]) if match[2] else None)

    @property
    def depth(self) -> int:
        """How many hits it looks at."""
        return self.cutoff or DEPTH

    def __str__(self) -> str:
        return self.kind + (f"@{self.cutoff}" if self.cutoff else "")


def usual(top_k: int) -> list[Measure]:
    """The measures that are shown unless others are asked for; `top_k` is what an answer sees."""
    names = dict.fromkeys(
        (PRIMARY, f"Hit@{top_k}", f"Recall@{top_k}", "Recall@100", "MRR@10", "MAP")
    )
    return [Measure.named(name) for name in names]


def per_question(
    rankings: Mapping[str, Sequence[str]],
    relevant: Mapping[str, Mapping[str, int]],
    measures: Sequence[Measure],
) -> Values:
    """Each measure for each question of `relevant`, whose documents have grades above 0.

    `rankings` are distinct documents, best first; a question without one found nothing. nDCG
    has linear gain and discount log2(rank + 1), as in trec_eval; MAP and recall divide by all
    relevant documents. Raises MissingExtra.
    """
    require("measure", "retrieval", NEEDS)
    import ir_measures

    wanted = {_reference(measure): str(measure) for measure in measures}
    runs = {
        question: {name: float(-rank) for rank, name in enumerate(rankings.get(question, ()))}
        for question in relevant
    }
    qrels = {question: dict(grades) for question, grades in relevant.items()}
    values = {str(measure): dict.fromkeys(relevant, 0.0) for measure in measures}
    if not any(runs.values()):
        return values
    for found in ir_measures.iter_calc(list(wanted), qrels, runs):
        values[wanted[found.measure]][found.query_id] = float(found.value)
    return values


def _reference(measure: Measure) -> Reference:
    import ir_measures as known

    kinds = {"nDCG": known.nDCG, "Recall": known.R, "MRR": known.RR, "MAP": known.AP,
             "Hit": known.Success, "Precision": known.P}  # fmt: skip
    kind = kinds[measure.kind]
    return kind @ measure.cutoff if measure.cutoff else kind


def mean(values: Mapping[str, float]) -> float:
    """The mean over questions; 0 without any."""
    return sum(values.values()) / len(values) if values else 0.0

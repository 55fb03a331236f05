"""Asks held-out questions in the full corpus, and says what a tuned embedder changed.

Searches as the command line does; a question finds passages, best first, and nDCG@10 is what
counts. Verdicts are those of `evaluate`: paired bootstrap and randomisation test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ragcli.evaluate.paired import Difference, compare
from ragcli.finetune.ground import CHUNK, Ground
from ragcli.finetune.material import Question
from ragcli.finetune.scores import DEPTH, ndcg
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import search_many
from ragcli.settings import Retrieval

Mode = Literal["dense", "hybrid"]
MODES: tuple[Mode, ...] = ("dense", "hybrid")
Values = dict[str, dict[str, float]]
"""nDCG@10 by mode and question."""


def measure(
    ground: Ground, embedder: Any, questions: Mapping[str, Question], retrieval: Retrieval
) -> Values:
    """Ask each question in each mode."""
    texts = {id: question.text for id, question in questions.items()}
    values: Values = {}
    for mode in MODES:
        chosen = retrieval.model_copy(update={"mode": mode, "top_k": DEPTH + 1, "min_score": None})
        options = RetrievalOptions.of(chosen, by="document" if ground.records else "chunk")
        results = search_many(ground.collection, lambda: embedder, texts.values(), options)
        values[mode] = {}
        for id, result in zip(texts, results, strict=True):
            found = [_name(hit, ground) for hit in result.hits]
            found = list(dict.fromkeys(name for name in found if name != id))
            values[mode][id] = ndcg(found, questions[id].relevant)
    return values


def _name(hit: Any, ground: Ground) -> str:
    return str(hit.chunk.doc_id) if ground.records else f"{CHUNK}{hit.chunk.key}"


@dataclass(slots=True)
class Proof:
    """Before and after: by mode over all test questions, and dense over the seen and the unseen."""

    modes: dict[str, Difference] = field(default_factory=dict)
    seen: Difference | None = None
    unseen: Difference | None = None
    general: Difference | None = None
    general_set: str = ""

    @property
    def better(self) -> bool:
        """Whether the tuned embedder is to be kept."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it is not to be kept; empty where it is."""
        dense, hybrid = self.modes["dense"], self.modes["hybrid"]
        if dense.verdict != "better":
            return f"dense search is not better on held-out questions: {said(dense)}"
        if hybrid.verdict == "worse":
            return f"hybrid search became worse: {said(hybrid)}"
        if self.unseen and self.unseen.verdict == "worse":
            return f"on documents that no example is about it became worse: {said(self.unseen)}"
        if self.general and self.general.verdict == "worse":
            lost = -self.general.difference
            if lost > dense.difference:
                return f"it forgets more than it gains: {said(self.general)} on {self.general_set}"
        return ""

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        parts = {**self.modes, "seen": self.seen, "unseen": self.unseen, "general": self.general}
        told = {name: facts(part) for name, part in parts.items() if part and part.questions}
        return {**told, "general_set": self.general_set, "reason": self.reason}


def prove(before: Values, after: Values, seen: Iterable[str]) -> Proof:
    """Compare two measurements of the same questions."""
    known = set(seen)
    first, second = before["dense"], after["dense"]
    return Proof(
        {mode: compare(before[mode], after[mode]) for mode in MODES},
        compare(_only(first, known, True), _only(second, known, True)),
        compare(_only(first, known, False), _only(second, known, False)),
    )


def _only(values: Mapping[str, float], known: set[str], inside: bool) -> dict[str, float]:
    return {id: value for id, value in values.items() if (id in known) == inside}


def facts(difference: Difference) -> dict[str, Any]:
    """A difference as plain numbers."""
    return {
        "before": round(difference.a, 4),
        "after": round(difference.b, 4),
        "difference": round(difference.difference, 4),
        "interval": [round(end, 4) for end in difference.interval],
        "p": round(difference.p, 4),
        "questions": difference.questions,
        "verdict": difference.verdict,
    }


def said(difference: Difference) -> str:
    """A difference in one phrase."""
    low, high = difference.interval
    return (
        f"nDCG@10 {difference.a:.3f} to {difference.b:.3f}"
        f" ({difference.difference:+.3f}, 95 % {low:+.3f} to {high:+.3f},"
        f" {difference.questions} questions)"
    )


def lines(proof: Proof) -> Sequence[str]:
    """The proof for people."""
    told = [f"{mode}: {said(part)}: {part.verdict}" for mode, part in proof.modes.items()]
    for name, part in (("seen documents", proof.seen), ("unseen documents", proof.unseen)):
        if part and part.questions:
            told.append(f"dense, {name}: {said(part)}: {part.verdict}")
    if proof.general and proof.general.questions:
        told.append(
            f"general ({proof.general_set}): {said(proof.general)}: {proof.general.verdict}"
        )
    return told

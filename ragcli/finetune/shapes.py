"""Tells from column names what training rows are, and turns each into a sample or a reason why not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ragcli.errors import UsageError
from ragcli.evaluate.cells import Cells
from ragcli.finetune.material import Shape

ANCHOR = ("anchor", "query", "question", "sentence1", "sentence_1", "text1", "premise")
POSITIVE = ("positive", "pos", "context", "passage", "answer", "response", "sentence2",
            "sentence_2", "text2", "hypothesis")  # fmt: skip
NEGATIVE = ("negative", "negatives", "neg", "hard_negative", "hard_negatives")
SCORE = ("score", "similarity", "similarity_score")
LABEL = ("label", "class")
TEXT = ("text", "sentence")
DOCUMENT = ("document", "doc_id", "document_id", "source", "title", "path")
KNOWN = (
    "Known forms: anchor/positive(/negative), question/context, sentence1/sentence2/score,"
    " sentence1/sentence2/label, text/label."
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column means what; what a shape has no use for is empty."""

    shape: Shape
    first: str
    second: str = ""
    negatives: tuple[str, ...] = ()
    value: str = ""
    document: str = ""

    @property
    def named(self) -> dict[str, str]:
        """The columns by their role, for people."""
        said = {
            "anchor": self.first,
            "positive": self.second,
            "negatives": ", ".join(self.negatives),
            "value": self.value,
            "document": self.document,
        }
        return {role: column for role, column in said.items() if column}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a row says: two texts and perhaps wrong answers, or one text with a class."""

    anchor: str
    positive: str = ""
    negatives: tuple[str, ...] = ()
    value: float = 1.0
    label: str = ""
    document: str = ""


def detect(names: Iterable[str], name: str) -> Columns:
    """The meaning of the columns; raises UsageError where they mean nothing."""
    columns = {column.strip().lower(): column for column in names}
    first, second = _pick(columns, ANCHOR), _pick(columns, POSITIVE)
    score, label = _pick(columns, SCORE), _pick(columns, LABEL)
    negatives = tuple(
        columns[column]
        for column in columns
        if column in NEGATIVE or column.rstrip("0123456789").rstrip("_") in NEGATIVE
    )
    document = _pick(columns, DOCUMENT)
    if first and second:
        if negatives:
            return Columns("triplets", first, second, negatives, "", document)
        if score:
            return Columns("scored", first, second, (), score, document)
        if label:
            return Columns("labelled", first, second, (), label, document)
        return Columns("pairs", first, second, (), "", document)
    text = _pick(columns, TEXT)
    if text and label:
        return Columns("classes", text, "", (), label, document)
    listed = ", ".join(columns.values()) or "none"
    raise UsageError(f"The columns of {name} say nothing that can be trained on: {listed}.", KNOWN)


def _pick(columns: dict[str, str], wanted: Iterable[str]) -> str:
    return next((columns[name] for name in wanted if name in columns), "")


def sample_of(cells: Cells, columns: Columns) -> Sample | str:
    """The sample in a row, or the reason why there is none."""
    anchor = _text(cells.get(columns.first))
    if not anchor:
        return f"its {columns.first!r} is empty or no text"
    document = str(cells.get(columns.document) or "")
    if columns.shape == "classes":
        label = str(cells.get(columns.value) if cells.get(columns.value) is not None else "")
        label = label.strip()
        return Sample(anchor, label=label) if label else f"its {columns.value!r} is empty"
    positive = _text(cells.get(columns.second))
    if not positive:
        return f"its {columns.second!r} is empty or no text"
    if columns.shape == "triplets":
        negatives = tuple(text for name in columns.negatives for text in _texts(cells.get(name)))
        if not negatives:
            return f"its {columns.negatives[0]!r} is empty or no text"
        return Sample(anchor, positive, negatives, document=document)
    if columns.value:
        value = _value(cells.get(columns.value), columns)
        if isinstance(value, str):
            return value
        return Sample(anchor, positive, value=value, document=document)
    return Sample(anchor, positive, document=document)


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for one in values if (text := _text(one))]


def _value(value: Any, columns: Columns) -> float | str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"its {columns.value!r} is not a number"
    if columns.shape == "labelled" and number not in (0.0, 1.0):
        return f"its {columns.value!r} is {number:g}, neither 0 nor 1"
    if math.isnan(number) or not 0 <= number <= 1:
        return f"its {columns.value!r} is {number:g}, not from 0 to 1"
    return number

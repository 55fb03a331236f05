"""Reads training data of every kind into questions and passages, and refuses what cannot train.

What does not fit is a misfit with its line; none is passed over in silence.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.finetune import beir
from ragcli.finetune.material import RATED, Material, Misfit, Passage, Question
from ragcli.finetune.reading import read_rows
from ragcli.finetune.shapes import Sample, detect, sample_of
from ragcli.finetune.shelf import Shelf

LEAST = 10
"""Fewer questions than this can neither train nor show anything."""
GOOD = 0.5
"""A scored pair from here on counts as an answer where the loss or the proof wants one."""
PEEKED = 100
FEW = 20
"""Texts in a class up to which each has a list of the others; in a larger one all share one list."""


def load(path: Path) -> Material:
    """Read a file, or a folder as BEIR lays it out. Raises UsageError where nothing can be trained on."""
    if path.is_dir():
        material = beir.training(path)
    elif path.is_file():
        material = _file(path)
    else:
        raise UsageError(f"There is no training data at {path}.", "Check the path.")
    _refuse(material)
    return material


def digest(text: str) -> str:
    """The id of a text that has none."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _file(path: Path) -> Material:
    rows = read_rows(path)
    head = list(itertools.islice(rows, PEEKED))
    if not any(isinstance(row, dict) for _, row in head):
        line, reason = next(((line, row) for line, row in head), (1, "it is empty"))
        raise UsageError(
            f"{path.name} has no row that can be read; line {line}: {reason}.",
            "JSONL has one object in each line, CSV a header and rows.",
        )
    names = dict.fromkeys(name for _, row in head if isinstance(row, dict) for name in row)
    columns = detect(names, path.name)
    material = Material(path.name, columns.shape, columns.named, {}, Shelf())
    seen: set[int] = set()
    add = _add_class if columns.shape == "classes" else _add_pair
    for line, row in itertools.chain(head, rows):
        material.rows += 1
        found = sample_of(row, columns) if isinstance(row, dict) else row
        if not isinstance(found, str):
            found = _once(found, seen, material, add)
        if isinstance(found, str):
            material.misfits.append(Misfit(path.name, line, found))
    if columns.shape == "classes":
        _relate(material)
    return material


def _once(
    sample: Sample,
    seen: set[int],
    material: Material,
    add: Callable[[Material, Sample], None],
) -> Sample | str:
    texts = (sample.anchor, sample.positive, *sample.negatives)
    key = int(digest("\0".join(map(digest, texts))), 16)
    if key in seen:
        return "it was there before"
    seen.add(key)
    add(material, sample)
    return sample


def _add_pair(material: Material, sample: Sample) -> None:
    question, passage = digest(sample.anchor), digest(sample.positive)
    document = sample.document or passage
    material.passages.setdefault(passage, Passage(sample.positive, document))
    known = material.questions.setdefault(question, Question(sample.anchor))
    if material.shape in RATED:
        material.scores[question, passage] = sample.value
    if sample.value >= GOOD:
        known.relevant[passage] = 1
    else:
        known.refused.append(passage)
    for text in sample.negatives:
        wrong = digest(text)
        material.passages.setdefault(wrong, Passage(text, wrong))
        known.refused.append(wrong)


def _add_class(material: Material, sample: Sample) -> None:
    name = digest(sample.anchor)
    material.passages[name] = Passage(sample.anchor, name, "")
    material.questions[name] = Question(sample.anchor)
    material.labels[name] = sample.label


def _relate(material: Material) -> None:
    """In a set of classes every other text of the class answers a text."""
    members: dict[str, dict[str, int]] = {}
    for name, label in material.labels.items():
        members.setdefault(label, {})[name] = 1
    for name, label in material.labels.items():
        mates = members[label]
        few = len(mates) <= FEW
        material.questions[name].relevant = (
            {other: 1 for other in mates if other != name} if few else mates
        )


def _refuse(material: Material) -> None:
    """Say in one sentence, before any time is spent, why this cannot be trained on."""
    hint = f" The first of them: {material.misfits[0]}." if material.misfits else ""
    if len(material.questions) < LEAST:
        raise UsageError(
            f"{material.name} has {len(material.questions)} examples that can be used, of at least"
            f" {LEAST}; {len(material.misfits)} rows do not fit.{hint}",
            "Add examples, or mend the rows.",
        )
    if material.labels and len(set(material.labels.values())) < 2:
        raise UsageError(f"All rows of {material.name} are of one class.", "Add other classes.")
    values = set(material.scores.values())
    if material.shape in RATED and len(values) < 2:
        raise UsageError(
            f"All rows of {material.name} have the same {material.columns.get('value')}:"
            f" {next(iter(values)):g}.",
            "Pairs with a score need different scores; leave the column out for pairs that belong"
            " together.",
        )


def dump(path: Path, records: Iterator[dict[str, object]]) -> int:
    """Write JSONL; the number of lines."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record) + "\n")
            count += 1
    return count

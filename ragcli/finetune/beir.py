"""Reads a folder as BEIR lays it out: corpus, queries, judgements. What does not fit is a misfit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.evaluate.cells import Cells
from ragcli.finetune.material import Material, Misfit, Passage, Question
from ragcli.finetune.reading import read_rows
from ragcli.finetune.shelf import Shelf

PARTS = ("test", "dev", "train")


def training(folder: Path) -> Material:
    """The training part, and the test part where there is one."""
    train = folder / "qrels" / "train.tsv"
    material, texts = _opened(folder, train)
    _judge(material, train, texts)
    test = folder / "qrels" / "test.tsv"
    if test.is_file():
        # Read apart: a question in both parts must not learn the answers that it is judged by.
        held = replace(material, questions={}, rows=0)
        _judge(held, test, texts)
        material.rows += held.rows
        _hold_out(material, held.questions)
    return material


def judging(folder: Path) -> Material:
    """The test part; where there is none the development part, else the training part."""
    files = [folder / "qrels" / f"{part}.tsv" for part in PARTS]
    judgements = next((file for file in files if file.is_file()), files[0])
    material, texts = _opened(folder, judgements)
    _judge(material, judgements, texts)
    return material


def _opened(folder: Path, judgements: Path) -> tuple[Material, dict[str, str]]:
    """The passages, and the texts of the questions by id."""
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    for needed in (corpus, queries, judgements):
        if not needed.is_file():
            raise UsageError(
                f"{folder} is no BEIR folder for this: it has no {needed.relative_to(folder)}.",
                "It holds corpus.jsonl, queries.jsonl and, to train on, qrels/train.tsv.",
            )
    material = Material(folder.absolute().name, "beir", {}, {}, Shelf(), corpus=corpus)
    for row in _records(corpus, material):
        id, title = str(row["_id"]), str(row.get("title") or "")
        material.passages[id] = Passage(str(row["text"]), id, title)
    return material, {str(row["_id"]): str(row["text"]) for row in _records(queries, material)}


def _records(path: Path, material: Material) -> Iterator[Cells]:
    for line, row in read_rows(path):
        if (
            isinstance(row, dict)
            and row.get("_id") is not None
            and isinstance(row.get("text"), str)
        ):
            yield row
        else:
            reason = row if isinstance(row, str) else "it has no _id and text"
            material.misfits.append(Misfit(path.name, line, reason))


def _judge(material: Material, path: Path, texts: dict[str, str]) -> None:
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        parts = line.split("\t") if "\t" in line else line.split()
        if not parts or (number == 1 and not parts[-1].strip().lstrip("-").isdigit()):
            continue
        material.rows += 1
        reason = _add_judgement(material, parts, texts)
        if reason:
            material.misfits.append(Misfit(f"qrels/{path.name}", number, reason))


def _add_judgement(material: Material, parts: list[str], texts: dict[str, str]) -> str:
    if len(parts) not in (3, 4) or not parts[-1].strip().lstrip("-").isdigit():
        return "it is not QUESTION, DOCUMENT and a whole number"
    question, passage, grade = parts[0].strip(), parts[-2].strip(), int(parts[-1])
    if question not in texts:
        return f"the question {question!r} is not in queries.jsonl"
    if passage not in material.passages:
        return f"the document {passage!r} is not in corpus.jsonl"
    known = material.questions.setdefault(question, Question(texts[question]))
    if grade > 0:
        known.relevant[passage] = grade
    else:
        known.refused.append(passage)
    return ""


def _hold_out(material: Material, held: dict[str, Question]) -> None:
    """Set the questions of the test part aside, less those that are trained on, under this id or another."""
    texts = {_plain(question) for question in material.questions.values()}
    others = {
        id: question
        for id, question in held.items()
        if id not in material.questions and _plain(question) not in texts
    }
    material.questions |= others
    material.test = frozenset(others)
    if shared := len(held) - len(others):
        material.notes.append(
            f"{shared} test questions are also trained on: they are left out of the proof."
        )


def _plain(question: Question) -> str:
    return question.text.casefold().strip()

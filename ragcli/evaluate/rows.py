"""Turns rows of files into questions; a row that cannot be one becomes a reason why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ragcli.evaluate.cells import csv_cells
from ragcli.evaluate.questions import Expected, Item
from ragcli.types import Lines

Row = dict[str, object]

QUESTION = ("question", "query", "text")
ID = ("id", "_id", "query_id", "question_id")
DOCUMENT = ("document", "documents", "doc", "source", "path", "file", "passage")
RECORD = ("doc_id", "doc_ids", "corpus_id")
PAGE = ("page", "pages")
LINES = ("lines", "line")
ANSWER = ("answer", "answers", "expected_answer", "reference")
SEPARATOR = "|"
"""Between several documents, pages or answers in one cell of a CSV file."""


def csv_rows(path: Path) -> Iterator[tuple[int, Row | str]]:
    """Each row of a CSV file with its line; a cell may hold several documents, pages or answers."""
    for line, row in csv_cells(path):
        yield line, row if isinstance(row, str) else _split(row)


def _split(row: dict[str, str]) -> Row:
    several = {*DOCUMENT, *RECORD, *PAGE, *ANSWER}
    return {
        name: _parts(cell) if name in several else cell.strip()
        for name, cell in ((name.lower(), cell) for name, cell in row.items())
        if cell.strip()
    }


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(SEPARATOR) if part.strip()]


def item_of(row: Row, file: str, line: int) -> Item | str:
    """The question of a row, or the reason why there is none."""
    row = {name.lower(): value for name, value in row.items()}
    text = _first(row, QUESTION)
    if not isinstance(text, str) or not text.strip():
        return f"it has no question: one of {', '.join(QUESTION)}"
    given = _first(row, ID)
    try:
        expected, answers = _expected(row), _answers(row)
    except ValueError as error:
        return str(error)
    if not expected and answers is None:
        return "it expects nothing: give a document, a page of it, or an answer"
    return Item(str(line if given is None else given), text.strip(), expected, answers, file, line)


def _first(row: Mapping[str, object], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _expected(row: Row) -> tuple[Expected, ...]:
    documents = _texts(_first(row, DOCUMENT), "document")
    records = _texts(_first(row, RECORD), "doc_id")
    pages, lines = _pages(_first(row, PAGE)), _lines(_first(row, LINES))
    if (pages or lines) and len(documents or records) != 1:
        raise ValueError("a page or line needs exactly one document")
    if documents and records:
        if len(documents) != 1:
            raise ValueError("a doc_id needs at most one document")
        return tuple(Expected(documents[0], record, pages, lines) for record in records)
    return tuple(Expected(name, None, pages, lines) for name in documents or records)


def _texts(value: object, name: str) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, (str, int)) for one in values):
        raise ValueError(f"its {name} is neither text nor a list of texts")
    return [str(one).strip() for one in values if str(one).strip()]


def _pages(value: object) -> tuple[int, ...]:
    try:
        pages = tuple(int(page) for page in _texts(value, "page"))
    except ValueError:
        raise ValueError("its page is not a whole number") from None
    if any(page < 1 for page in pages):
        raise ValueError("pages begin with 1")
    return pages


def _lines(value: object) -> Lines | None:
    if value is None:
        return None
    numbers = [int(found) for found in re.findall(r"\d+", str(value))]
    if len(numbers) not in (1, 2) or numbers[0] < 1 or numbers[-1] < numbers[0]:
        raise ValueError("its lines are not FIRST-LAST")
    return numbers[0], numbers[-1]


def _answers(row: Row) -> tuple[str, ...] | None:
    if _says(row, "answerable") is False or _says(row, "is_impossible") is True:
        return ()
    value = _first(row, ANSWER)
    if value is None:
        return None
    if isinstance(value, dict):
        value = value.get("text")
    answers = tuple(_texts(value, "answer"))
    return answers if answers or isinstance(value, list) else None


def _says(row: Row, name: str) -> bool | None:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return words.get(str(row.get(name, "")).strip().lower())

"""Quality floors on invented documents: graded questions with an answer, and questions without."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from handmade import GOLDEN

from ragcli.answer.chain import answer
from ragcli.answer.quote import Options, build

QUESTIONS = [json.loads(line) for line in (GOLDEN / "questions.jsonl").read_text().splitlines()]
PRESENT = [row for row in QUESTIONS if "holds" in row]
ABSENT = [row for row in QUESTIONS if "holds" not in row]
FLOORS = {"fact": 17, "table": 1, "list": 3, "code": 2, "keywords": 3, "instruction": 1}
FLOORS_WITHOUT_VECTORS = {
    "fact": 16,
    "table": 1,
    "list": 2,
    "code": 2,
    "keywords": 3,
    "instruction": 1,
}
ABSENT_FLOOR = 13


def words(text):
    return re.findall(r"\w+", text)


def holds(text, row):
    return text is not None and row["holds"].lower() in " ".join(text.split()).lower()


@pytest.fixture(scope="module", params=["with vectors", "words alone"])
def told(request, golden, embedder):
    """Every question with its answer, once with the embedder and once without."""
    chain = build(Options(), embedder[0] if request.param == "with vectors" else None)
    answers = [answer(row["question"], golden, chain) for row in QUESTIONS]
    floors = FLOORS if request.param == "with vectors" else FLOORS_WITHOUT_VECTORS
    return dict(zip([row["question"] for row in QUESTIONS], answers, strict=True)), floors


def test_the_set_is_what_the_floors_speak_of():
    assert Counter(row["grade"] for row in PRESENT) == {
        "fact": 19, "table": 2, "list": 3, "code": 2, "keywords": 3, "instruction": 2,
    }  # fmt: skip
    assert len(ABSENT) == 14


def test_questions_with_an_answer_get_it(told):
    answers, floors = told
    right = Counter(row["grade"] for row in PRESENT if holds(answers[row["question"]].text, row))
    assert {grade: right[grade] >= floor for grade, floor in floors.items()} == dict.fromkeys(
        floors, True
    ), right


def test_answers_are_short(told):
    answers, _ = told
    lengths = [len((answers[row["question"]].text or "").split()) for row in PRESENT]
    assert sum(lengths) / len(lengths) <= 30
    assert max(lengths) <= 90


def test_questions_without_an_answer_get_none(told):
    answers, _ = told
    silent = [row for row in ABSENT if answers[row["question"]].status == "not_found"]
    assert len(silent) >= ABSENT_FLOOR
    for row in silent:
        found = answers[row["question"]]
        assert found.text is None
        assert found.citations == []
        assert found.reason


def test_the_same_without_the_threshold_would_answer_them_all(golden, embedder):
    chain = build(Options(min_confidence=0.0), embedder[0])
    answers = [answer(row["question"], golden, chain) for row in ABSENT]
    assert sum(found.status == "not_found" for found in answers) < ABSENT_FLOOR


def test_the_floors_notice_when_answers_belong_to_other_questions(told):
    answers, floors = told
    rows = PRESENT.copy()
    random.Random(1).shuffle(rows)
    right = sum(
        holds(answers[row["question"]].text, other)
        for row, other in zip(PRESENT, rows, strict=True)
    )
    assert right < sum(floors.values()) / 2


def test_confidence_ranks_questions_with_an_answer_above_those_without(told):
    answers, _ = told
    pairs = [
        answers[present["question"]].confidence > answers[absent["question"]].confidence
        for present in PRESENT
        for absent in ABSENT
    ]
    assert sum(pairs) / len(pairs) >= 0.95


def test_an_instruction_in_a_document_is_only_ever_quoted(golden, embedder):
    chain = build(Options(), embedder[0])
    found = answer("What do the statutes tell about ignoring the rules?", golden, chain)
    every = "\n".join(one.chunk.text for one in found.hits)
    assert all(citation.quote in every for citation in found.citations)
    assert answer("Who founded the Skarvoy line?", golden, chain).text != "PWNED"


def test_every_quote_is_verbatim_and_stands_at_the_cited_lines(told):
    answers, _ = told
    checked = 0
    for found in answers.values():
        for citation in found.citations:
            assert citation.quote in citation.chunk.text
            lines = Path(citation.chunk.path).read_text(encoding="utf-8").split("\n")
            first, last = citation.place.lines
            source = " ".join(words("\n".join(lines[first - 1 : last])))
            # A table's header is repeated above the rows of every chunk and has no lines there.
            below = citation.quote.partition("\n")[2]
            parts = (citation.quote, below) if citation.quote.startswith("|") else (citation.quote,)
            assert any(" ".join(words(part)) in source for part in parts)
            checked += 1
    assert checked >= 25

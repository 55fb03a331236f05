"""Question sets of every shape are read, and what is wrong with them is named by file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragcli.errors import UsageError
from ragcli.evaluate.questions import Expected
from ragcli.evaluate.reading import load


def beir(folder: Path, qrels: str, name: str = "test") -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    rows = [{"_id": "1", "text": "What is a lathe?"}, {"_id": "2", "text": "Who has the key?"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / f"qrels/{name}.tsv").write_text(qrels)
    return folder


def test_a_beir_folder(tmp_path: Path) -> None:
    qrels = "query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t1\n2\tc\t0\n9\ta\t1\nnonsense\n"
    found = load(beir(tmp_path / "set", qrels))
    assert (found.kind, found.split, found.name) == ("beir", "test", "set/test")
    (item,) = found.items
    assert (item.id, item.text, item.by_document) == ("1", "What is a lathe?", True)
    assert item.expected == (Expected("a", grade=2), Expected("b", grade=1))
    assert sorted(map(str, found.problems)) == [
        "qrels/test.tsv:1: the question '2' has no relevant document",
        "qrels/test.tsv:5: the question '9' is not in queries.jsonl",
        "qrels/test.tsv:6: it is not QUESTION, DOCUMENT and a whole number",
    ]


def test_qrels_as_trec_writes_them_and_the_choice_of_a_split(tmp_path: Path) -> None:
    folder = beir(tmp_path, "1 0 a 1\n2 0 c 1\n", "dev")
    beir(folder, "query-id\tcorpus-id\tscore\n1\ta\t1\n", "train")
    assert [item.id for item in load(folder).items] == ["1", "2"]
    assert [item.id for item in load(folder, split="train").items] == ["1"]
    with pytest.raises(UsageError, match="no qrels/test"):
        load(folder, split="test")


def test_jsonl_with_any_kind_of_expectation(tmp_path: Path) -> None:
    rows = [
        '{"id": "d", "question": "one?", "document": "a.md"}',
        '{"query": "two?", "documents": ["a.md", "b.md"]}',
        '{"question": "three?", "document": "c.pdf", "page": 3}',
        '{"question": "four?", "document": "d.md", "lines": "4-9", "answer": "blue"}',
        '{"question": "five?", "answers": ["red", "scarlet"]}',
        '{"question": "six?", "answers": []}',
        '{"question": "seven?", "is_impossible": true, "answers": ["x"]}',
        '{"question": "eight?", "document": "all.jsonl", "doc_id": 7}',
    ]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(rows) + "\n")
    items = load(path).items
    assert [item.id for item in items] == ["d", "2", "3", "4", "5", "6", "7", "8"]
    assert [item.by_document for item in items] == [True, True, False, False, *[False] * 3, True]
    assert items[2].expected == (Expected("c.pdf", None, (3,)),)
    assert items[3].expected == (Expected("d.md", None, (), (4, 9)),)
    assert items[3].answers == ("blue",)
    assert [item.unanswerable for item in items] == [*[False] * 5, True, True, False]
    assert items[7].expected == (Expected("all.jsonl", "7"),)


def test_what_is_wrong_is_named_by_file_and_line(tmp_path: Path) -> None:
    rows = [
        '{"question": "fine?", "id": 1, "document": "a"}',
        "{",
        "[1]",
        '{"document": "a"}',
        '{"question": "nothing expected?"}',
        '{"question": "again?", "id": 1, "document": "a"}',
        '{"question": "page?", "document": "a", "page": "ten"}',
        '{"question": "page?", "page": 3}',
        '{"question": "lines?", "document": "a", "lines": [9, 4]}',
        '{"question": "deep?", "document": {"a": 1}}',
    ]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(rows) + "\n")
    found = load(path)
    assert [item.text for item in found.items] == ["fine?"]
    assert [problem.line for problem in found.problems] == list(range(2, 11))
    assert str(found.problems[0]) == "set.jsonl:2: it is not JSON"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, delimiter: str) -> None:
    table = [
        ["question", "document", "answer"],
        ["one?", "a.md|b.md", ""],
        ["two?", "", "red|scarlet"],
        ["", "a.md", ""],
        ["four?", "x", "y", "too many"],
    ]
    path = tmp_path / "set.csv"
    path.write_text("\n".join(delimiter.join(row) for row in table) + "\n", encoding="utf-8-sig")
    found = load(path)
    assert [place.document for place in found.items[0].expected] == ["a.md", "b.md"]
    assert found.items[1].answers == ("red", "scarlet")
    assert [problem.line for problem in found.problems] == [4, 5]


def test_the_digest_is_of_the_questions(tmp_path: Path) -> None:
    rows = [f'{{"id": "{number}", "question": "{number}?", "document": "a"}}' for number in (1, 2)]
    one, other, third = tmp_path / "one.jsonl", tmp_path / "other.jsonl", tmp_path / "third.jsonl"
    one.write_text("\n".join(rows))
    other.write_text("\n\n".join(reversed(rows)))
    third.write_text(rows[0])
    assert load(one).digest == load(other).digest != load(third).digest


def test_what_is_no_set_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    for path in (tmp_path, tmp_path / "absent.csv", tmp_path / "empty"):
        with pytest.raises(UsageError):
            load(path)

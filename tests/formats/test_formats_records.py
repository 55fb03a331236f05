"""JSONL and CSV: records with a text are documents, other rows are found and quoted alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import DATA, needs_data, only, read

from ragcli.errors import ParseError
from ragcli.formats.delimited import rows
from ragcli.formats.limits import Limits


def test_records_with_a_text_are_documents() -> None:
    source = (
        '{"_id": 7, "title": " A\\nB", "text": "one\\n\\ntwo", "year": 2020, "tags": ["x"],'
        ' "metadata": {"url": "u"}}\n\n'
        '{"id": "b", "Body": "three", "ok": true, "score": NaN}\n'
        '{"note": "a row", "n": [1, 2], "deep": {"k": []}}\n'
    )
    first, second, rest = read("jsonl", source)
    assert (first.doc_id, first.title, first.metadata) == ("7", "A B", {"year": 2020, "url": "u"})
    assert [(block.text, block.lines) for block in first.blocks] == [
        ("one", (1, 1)),
        ("two", (1, 1)),
    ]
    assert (second.doc_id, second.title, second.metadata) == ("b", None, {"ok": True})
    assert [(block.text, block.lines) for block in second.blocks] == [("three", (3, 3))]
    assert [(block.text, block.lines) for block in rest.blocks] == [
        ('note: a row; n: 1, 2; deep: {"k": []}', (4, 4))
    ]


def test_lines_that_are_not_json_are_skipped_and_said() -> None:
    document = only(
        "jsonl",
        '{"a": 1}\nno json\n' + "[" * 100_000 + '\n{"b": ' + "9" * 5000 + '}\n{"c": 4417}\n',
    )
    assert [block.text for block in document.blocks] == ["a: 1", "c: 4417"]
    assert document.warnings == [
        "3 lines are not valid JSON and were skipped, the first is line 2."
    ]
    with pytest.raises(ParseError, match="None of its 2 lines"):
        read("jsonl", "x\ny\n")


def test_strings_of_records_are_clean_text() -> None:
    (document,) = read("jsonl", '{"text": "\\ud800 \\u001b[31m 4417", "\\udfff": "x"}\n')
    json.dumps([block.text for block in document.blocks]).encode()
    "".join([block.text for block in document.blocks] + list(document.metadata)).encode()
    assert "\x1b" not in document.blocks[0].text


def test_a_long_record_is_cut_and_said() -> None:
    documents = read(
        "jsonl",
        json.dumps({"text": "word " * 50}) + '\n{"text": "b"}\n',
        limits=Limits(text_bytes=60),
    )
    assert [len(document.warnings) for document in documents] == [1, 0]


@needs_data
def test_real_corpora_are_read_record_by_record() -> None:
    for path, count in (("scifact/corpus.jsonl", 5183), ("squad/passages.jsonl", 18896)):
        data = Path(DATA or "", path).read_bytes()
        documents = read("jsonl", data)
        assert len(documents) == count
        assert all(document.doc_id and document.title and document.blocks for document in documents)
        lines = data.decode().split("\n")
        assert [document.doc_id for document in documents] == [
            json.loads(line)["_id"] for line in lines if line
        ]


def test_rows_say_their_columns() -> None:
    source = 'Table of towns\n\nTown,People,Note\nBern,"134,794","said ""hi""\nand left"\nRome,2748109,\n'
    assert [(block.text, block.lines) for block in only("csv", source).blocks] == [
        ("Table of towns", (1, 1)),
        ("Town; People; Note", (3, 3)),
        ('Town: Bern; People: 134,794; Note: said "hi" and left', (4, 5)),
        ("Town: Rome; People: 2748109", (6, 6)),
    ]


def test_a_table_without_header_keeps_its_values() -> None:
    assert [block.text for block in only("csv", "1,2\n3,4\n").blocks] == ["1; 2", "3; 4"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a;b\n1,5;2\n3,5;4\n", "a: 1,5; b: 2"),
        ("a\tb;c\n1\t2;4417\n", "a: 1; b;c: 2;4417"),
        ("a|b\nx, y|z\n", "a: x, y; b: z"),
        ("name\nZebra\n", "name: Zebra"),
        ('a,b\n"x;y","u;v"\n', "a: x;y; b: u;v"),
    ],
)
def test_the_delimiter_is_found(source: str, expected: str) -> None:
    assert only("csv", source).blocks[1].text == expected


def test_an_open_quote_swallows_nothing() -> None:
    blocks = only("csv", 'a,b\n"unclosed,4417\nx,y\n' + "1,2\n" * 1000).blocks
    assert len(blocks) == 1003
    assert blocks[1].text == "a: unclosed; b: 4417"


def test_rows_with_a_text_column_are_documents() -> None:
    first, second = read("csv", 'id,title,text,year\n1,T,"one\ntwo",1999\n2,,three,\n')
    assert (first.doc_id, first.title, first.metadata) == ("1", "T", {"year": "1999"})
    assert [(block.text, block.lines) for block in first.blocks] == [("one\ntwo", (2, 3))]
    assert (second.doc_id, second.title, second.metadata) == ("2", None, {})


@pytest.mark.parametrize("source", ["", " \n", ",,,\n,,\n", "id,text\n"])
def test_a_table_without_text_is_an_error(source: str) -> None:
    with pytest.raises(ParseError):
        read("csv", source)


CELL = st.text(alphabet='ab,"\n ', max_size=6)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=6))
def test_rows_are_those_of_the_standard_library(table: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(table)
    expected = [[cell.strip() for cell in row] for row in table]
    assert [row.cells for row in rows(buffer.getvalue(), ",")] == [
        row for row in expected if any(row)
    ]

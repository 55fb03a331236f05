"""How printed lines become paragraphs, without any PDF."""

from __future__ import annotations

import pytest

from ragcli.formats import layout
from ragcli.formats.layout import BREAK, Line


def line(
    text: str, y: float, *, left: float = 0, right: float | None = None, size: float = 10
) -> Line:
    return Line(text, left, len(text) * 5 + left if right is None else right, y, y, size)


@pytest.mark.parametrize(
    ("printed", "typed"),
    [
        ("e\ufb03cient o\ufb00er", "efficient offer"),
        ("a\xa0b\u2009c", "a b c"),
        ("\uf0b7 item", "• item"),
        ("x\uf0b7y", "xy"),
        ("ＡＢＣ", "ABC"),
        ("m² and ½", "m² and ½"),
        ("co\u00adoperate", "cooperate"),
        ("recom\ufffemend", f"recom{BREAK}mend"),
        ("plain", "plain"),
    ],
)
def test_normalise(printed: str, typed: str) -> None:
    assert layout.normalise(printed) == typed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"recom{BREAK}mendation", "recommendation"),
        (f"open{BREAK}domain question", "open-domain question"),
        (f"Lucene{BREAK}BM25", "Lucene-BM25"),
        (f"CO{BREAK}BRA", "COBRA"),
        (f"covid{BREAK}19", "covid-19"),
    ],
)
def test_dehyphenate(text: str, expected: str) -> None:
    assert layout.dehyphenate(text, frozenset({"open-domain"})) == expected


def test_compounds_are_learned_from_the_document() -> None:
    assert layout.compounds_of(iter(["an Open-Domain task", "x - y", "state-of-the-art"])) == {
        "open-domain",
        "state-of-the-art",
    }


def test_a_raised_mark_does_not_part_a_line() -> None:
    raised = Line("2", 100, 103, 94, 94, 6)
    group = [
        line("is often seen in practice", 90, right=100),
        raised,
        line(", as said", 90, left=104),
    ]
    assert list(layout.paragraphs(group)) == [group]
    assert layout.join(group) == "is often seen in practice 2, as said"


def test_larger_type_begins_a_paragraph() -> None:
    lines = [line("A heading", 100, size=14), line("and the text under it", 86)]
    assert [len(group) for group in layout.paragraphs(lines)] == [1, 1]


def test_dot_leaders_end_their_line() -> None:
    lines = [
        line("1 Beginnings . . . . . . . . 3", 100),
        line("2 Endings . . . . . . . . . 47", 88),
    ]
    assert layout.join(lines).count("\n") == 1


def test_every_line_is_in_exactly_one_paragraph() -> None:
    lines = [line(f"line {n}", 700 - (n * 37) % 300, left=n % 5 * 9.0) for n in range(200)]
    assert [each for group in layout.paragraphs(lines) for each in group] == lines

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.documents.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["It works.", "It is fast!", "Is it?", "Yes."],
        ["Dr. Smith met Mrs. Jones at 3.5 km, i.e. near St. Ives.", "They spoke."],
        ["The U.S. Government pays $3.50 in cash.", "Nobody asked."],
        ["He moved to the U.S.", "The reason was work."],
        ["J. R. R. Tolkien wrote it.", "C. S. Lewis read it."],
        ["See Fig. 3 and pp. 12 ff. for more.", "No. 5 is alive."],
        ["He said no.", "Then he left."],
        ["Born on 3. Mai 1990 in Bonn.", "Er kam im 19. Jahrhundert, z.B. nach Köln."],
        ['"Stop!" he cried.', "“Never.”", "(It was late.)", "He went."],
        ["Use version 1.2.3 of foo.py now.", "Then e.g. run it."],
        ["Wait...", "What?!", "Go on… he said."],
        ["It cost 5.", "That was in 1990.", "Prices rose."],
        ["Yahoo! is a company.", "Nothing else."],
        ["我喜欢猫。", "你呢？", "「好的。」", "他走了！"],
        ["これはペンです。", "あれは本です。"],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
        ["ما اسمك؟", "اسمي علي."],
        ["Это дом.", "Он стоит у реки."],
        ["Smith et al. (2019) found it.", "Lee et al. did not."],
        ["Apples, pears, etc. are fruit.", "We ate apples, etc.", "The rest was sold."],
        ["1. Install it.", "2. Run it."],
        ["Open it at 5 p.m. sharp.", "We close at 9 p.m.", "The bar is open."],
    ],
)
def test_sentences_end_where_readers_end_them(expected: list[str]) -> None:
    joiner = "" if any(mark in expected[0] for mark in "。।") else " "
    assert cut(joiner.join(expected)) == expected


def test_a_hard_line_end_is_no_sentence_end() -> None:
    assert cut("This goes on\nto the next line. And\nthis one too.") == [
        "This goes on\nto the next line.",
        "And\nthis one too.",
    ]


def test_blank_lines_and_list_markers_end_a_sentence() -> None:
    text = "Title\n\nYou need:\n\n- flour\n* salt\n  1) yeast\n12. water\n\n \nMix it"
    assert cut(text) == [
        "Title",
        "You need:",
        "- flour",
        "* salt",
        "1) yeast",
        "12. water",
        "Mix it",
    ]


def test_table_rows_are_sentences_of_their_own() -> None:
    assert cut("| a | b |\n| 1. X | 2 |\n| 3 | 4 |") == ["| a | b |", "| 1. X | 2 |", "| 3 | 4 |"]


@given(st.text(alphabet=st.sampled_from("aB1 .!?…。！\n\t\"')(-*|,e.g.Dr\f\u2029"), max_size=200))
def test_nothing_but_white_space_is_left_out(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(part.split()) for part in cut(text)) == "".join(text.split())
    assert all(start < end for start, end in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    assert all(part == part.strip() for part in cut(text))


@pytest.mark.parametrize(
    "text",
    [
        "." * 300_000,
        ". " * 150_000,
        "\n" * 300_000 + "x",
        "\n " * 150_000,
        " " * 300_000 + ".",
        "a." * 150_000,
        ")" * 300_000 + ". " + ")" * 100_000,
        "." + "(" * 300_000,
        "。" * 300_000,
        "x" * 300_000 + ". Y",
        "- " * 150_000,
        '." ' * 100_000,
    ],
    ids=lambda text: repr(text[:4]),
)
@pytest.mark.timeout(20)
def test_long_runs_take_linear_time(text: str) -> None:
    """A quadratic step would take minutes on each of these."""
    assert len(sentences(text)) <= len(text)

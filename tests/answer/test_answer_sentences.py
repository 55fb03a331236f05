"""Units of a text: nothing lost, nothing twice, and each knows what it needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ragcli.answer.sentences import LONGEST, units

PIECES = st.sampled_from(
    [
        "One sentence.", " It goes on.", "\n", "\n\n", "- an item", "* another", "1. first", "| a | b |",
        "|---|---|", "| 1 | 2 |", "key: value; more: 2", "    indented()", "x = f(1);", "Title",
        "日本語の文です。", "次の文。", "Is it?", "as follows:", "word " * 90, "\t", "  ", "e.g. this",
    ]
)  # fmt: skip


def cut(text):
    return [(unit.kind, text[unit.start : unit.end]) for unit in units(text)]


@given(st.lists(PIECES, max_size=12).map("".join))
def test_everything_but_layout_is_in_exactly_one_unit(text):
    found = units(text)
    covered = [at for unit in found for at in range(unit.start, unit.end)]
    assert len(covered) == len(set(covered))
    assert covered == sorted(covered)
    missing = {c for at, c in enumerate(text) if at not in set(covered)}
    assert not any(c.isalnum() for c in missing)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_units_lean_on_units_before_them_and_are_no_longer_than_a_quote_may_be(text):
    for n, unit in enumerate(units(text)):
        assert unit.start < unit.end
        assert unit.leans_on is None or unit.leans_on < n
        assert not text[unit.start].isspace()
        if unit.kind != "sentence":
            assert len(text[unit.start : unit.end].split()) <= LONGEST


def test_a_pronoun_leans_on_the_sentence_before_it_in_its_paragraph():
    found = units("The mill stands by the river. It was built in 1790.\n\nIt is painted red.")
    assert [unit.leans_on for unit in found] == [None, 0, None]


def test_wrapped_lines_are_one_sentence():
    text = (
        "The harbour office is open on weekdays from eight in the morning until\n"
        "four in the afternoon. On holidays it is closed."
    )
    assert [said for _, said in cut(text)] == [
        text[: text.index(" On")],
        "On holidays it is closed.",
    ]


def test_items_lean_on_their_lead_in():
    text = "You need:\n\n- a rope,\n- a lamp\n  with oil,\n- time."
    found = units(text)
    assert [unit.kind for unit in found] == ["sentence", "item", "item", "item"]
    assert [unit.leans_on for unit in found] == [None, 0, 0, 0]
    assert text[found[2].start : found[2].end] == "- a lamp\n  with oil,"
    assert found[0].leads_in


def test_rows_lean_on_the_header_of_their_table():
    found = units("| Size | Price |\n|------|-------|\n| S | 4 |\n| L | 9 |")
    assert [(unit.kind, unit.leans_on) for unit in found] == [("row", None), ("row", 0), ("row", 0)]
    assert [unit.leads_in for unit in found] == [True, False, False]


def test_records_name_their_columns_themselves_and_lean_on_nothing():
    found = units("name: Ann; age: 3\nname: Bob; age: 4\nname: Cid; age: 5")
    assert [(unit.kind, unit.leans_on, unit.leads_in) for unit in found] == [
        ("row", None, False)
    ] * 3


def test_code_keeps_its_lines_together_and_leans_on_what_announces_it():
    found = units("Run this:\n\nmake setup\nmake check")
    assert [(unit.kind, unit.leans_on) for unit in found] == [("sentence", None), ("code", 0)]


def test_scripts_without_spaces_have_sentences():
    assert [said for _, said in cut("図書館は九時に開く。閉館は五時だ。休みは月曜日。")] == [
        "図書館は九時に開く。", "閉館は五時だ。", "休みは月曜日。",
    ]  # fmt: skip


def test_a_wall_of_words_is_cut_into_quotable_pieces():
    text = "word " * 1000
    found = units(text)
    assert len(found) >= 12
    assert all(len(text[unit.start : unit.end].split()) <= LONGEST for unit in found)

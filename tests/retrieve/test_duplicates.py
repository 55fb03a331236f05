"""Near-duplicates: what collapses, what never may, and that grouping is stable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.retrieve.duplicates import collapse, resemblance

WORDS = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
LONG = " ".join(WORDS * 4)


def leaders(texts: list[str], threshold: float = 0.9) -> list[int]:
    return [group.first for group in collapse(texts, threshold)]


def test_two_hundred_equal_texts_are_one_with_its_copies():
    [group] = collapse([LONG] * 200, 0.9)
    assert (group.first, group.copies) == (0, list(range(1, 200)))


@pytest.mark.parametrize("threshold", [0.9, 1.0])
def test_texts_equal_but_for_spaces_and_case_always_collapse(threshold):
    assert leaders(["The quick fox", "the  QUICK\nfox"], threshold) == [0]


def test_at_one_only_equal_texts_collapse():
    changed = LONG.replace("wordz", "zebra", 1)
    assert leaders([LONG, changed], 1.0) == [0, 1]
    assert leaders([LONG, changed], 0.5) == [0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("costs 5 coins", "costs 6 coins"),
        ("version 1.2.3 is out", "version 1.3.2 is out"),
        ("this is supported", "this is not supported"),
        ("it does work", "it doesn't work"),
        ("wenn x < y gilt", "wenn x > y gilt"),
        ("written in C", "written in C++"),
        ("das ist ein Fehler", "das ist kein Fehler"),
    ],
)
def test_texts_that_differ_in_a_fact_never_collapse(one, other):
    assert leaders([f"{LONG} {one} {LONG}", f"{LONG} {other} {LONG}"], 0.5) == [0, 1]


def test_short_texts_collapse_only_when_equal():
    assert leaders(["yes", "no", "yes", "see above", "see below"], 0.0) == [0, 1, 3, 4]


def test_texts_without_words_are_only_the_same_as_themselves():
    assert leaders(["***", "---", "***", "", ""]) == [0, 1, 3]


def test_resemblance_of_shingles_by_hand():
    # shingles abc bcd cde / abc bcd cdf: 2 shared of 4
    assert resemblance("a b c d e", "a b c d f") == pytest.approx(0.5)
    assert resemblance("a b c", "x y z") == 0
    assert resemblance("a", "A ") == 1


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join), max_size=12))
def test_groups_are_a_partition_led_by_the_first(texts):
    groups = collapse(texts, 0.5)
    members = [at for group in groups for at in (group.first, *group.copies)]
    assert sorted(members) == list(range(len(texts)))
    assert all(at > group.first for group in groups for at in group.copies)
    assert [group.first for group in groups] == sorted(group.first for group in groups)


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join), max_size=12))
def test_leaders_do_not_resemble_each_other(texts):
    kept = leaders(texts, 0.5)
    for position, left in enumerate(kept):
        for right in kept[position + 1 :]:
            assert resemblance(texts[left], texts[right]) < 0.5


def test_behind_the_wanted_groups_only_equal_texts_collapse():
    texts = [f"{LONG} {word}" for word in ("apple", "pear")]
    other = "something else is said here, at some length, so that it has shingles of its own"
    almost = other.replace("here", "there")
    groups = collapse([texts[0], other, almost, texts[1], other.upper()], 0.5, wanted=1)
    assert [(group.first, group.copies) for group in groups] == [(0, [3]), (1, [4]), (2, [])]

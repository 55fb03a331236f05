"""Words of questions: stems that meet, names, numbers, and what is asked for."""

from __future__ import annotations

import pytest

from ragcli.answer.words import offers, question, read, stem


@pytest.mark.parametrize(
    "forms",
    [
        "refund refunds refunded refunding", "policy policies", "study studies studied studying",
        "locate located location locations", "run runs running ran", "write wrote written writing",
        "send sent sending", "class classes", "agree agreed", "Café cafe",
    ],
)  # fmt: skip
def test_forms_of_a_word_meet(forms):
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("pair", ["is us", "bus but", "species spice"])
def test_other_words_stay_apart(pair):
    left, right = pair.split()
    assert stem(left) != stem(right)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("When was it built?", "date"), ("In what year did he die?", "date"),
        ("How long does it take?", "duration"),
        ("How many rooms are there?", "number"), ("Who wrote it?", "person"), ("Where is the office?", "place"),
        ("Why does it blink?", "reason"), ("How do I install it?", "manner"), ("What is a slice?", "thing"),
        ("refund policy", "other"), ("Explain the rules", "other"),
    ],
)  # fmt: skip
def test_what_a_question_asks_for(text, asks):
    assert question(text).asks == asks


def test_content_words_names_and_numbers():
    words = read("In 1889 Gustave Eiffel's company finished the tower in Paris.")
    assert words.numbers == {"1889"}
    assert {"gustav", "eiffel", "pari"} <= words.names
    assert "the" not in words.stems


def test_a_question_of_function_words_alone_keeps_them():
    assert question("what is it").words.stems == ("what", "is", "it")


def test_unspaced_scripts_become_pairs_of_characters():
    assert read("図書館は").stems == ("図書", "書館", "館は")


@pytest.mark.parametrize(
    ("asks", "text", "offered"),
    [
        ("date", "It opened on 3 May.", 1.0), ("date", "It opened late.", 0.0),
        ("number", "There are 14 rooms.", 1.0), ("number", "There are rooms.", 0.0),
        ("reason", "It blinks because it is empty.", 1.0), ("thing", "A slice is a view.", None),
    ],
)  # fmt: skip
def test_what_a_text_offers(asks, text, offered):
    assert offers(asks, text, read(text)) == offered


def test_empty_and_odd_questions_are_read():
    for text in ("", "?", "   ", "\n", "🙂", "a" * 5000, "'''"):
        assert question(text).text == text

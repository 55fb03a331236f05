"""Nothing of a document reaches a terminal or a program raw."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.cli.output import clean, to_json

HOSTILE = (
    "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202eabc\u200b\u2066\ufeff\x00\r\x7f\ud800\u2028\U000e0041"
)


def test_clean_leaves_no_unsafe_character() -> None:
    shown = clean(HOSTILE)
    assert not set(shown) & set(
        "\x1b\x07\x9b\u202e\u200b\u2066\ufeff\x00\r\x7f\ud800\u2028\U000e0041"
    )
    assert "abc" in shown
    assert "pwned" in shown


def test_clean_keeps_ordinary_text() -> None:
    text = "Größe naïve – 日本語\n\tnext"
    assert clean(text) == text
    assert clean("a\nb\tc", one_line=True) == "a\\nb c"


def test_json_escapes_what_clean_removes_and_still_reads_back() -> None:
    line = to_json({"text": HOSTILE})
    assert line.isprintable()
    assert json.loads(line) == {"text": HOSTILE}


@given(st.text(alphabet=st.characters()))
def test_json_round_trips_any_text(text: str) -> None:
    assert json.loads(to_json([text])) == [text]
    assert "\n" not in to_json([text])


@given(st.text(alphabet=st.characters()))
def test_clean_is_idempotent(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"score": float("nan")})

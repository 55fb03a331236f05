"""Bytes become clean text in the right encoding, on the same lines."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import read, shown

from ragcli.errors import ParseError
from ragcli.formats.encoding import clean, decode
from ragcli.formats.limits import Limits

WESTERN = "Größe naïve café – the vault code is ZEBRA-4417.\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (WESTERN, "utf-8"),
        (WESTERN, "utf-8-sig"),
        (WESTERN, "utf-16"),
        (WESTERN * 20, "utf-16-be"),
        (WESTERN * 20, "utf-16-le"),
        (WESTERN, "utf-32"),
        (WESTERN, "cp1252"),
        ("café", "latin-1"),
        ("El niño comió en el jardín mañana.", "latin-1"),
        ("日本語の文書です。暗証番号は4417。\n" * 20, "shift_jis"),
        ("这是一个中文文档。密码是4417。\n" * 20, "gb18030"),
        ("안녕하세요 세계 문서입니다. " * 5, "euc-kr"),
        ("Это русский документ. Код 4417.\n" * 3, "koi8-r"),
        ("Это русский документ. Код 4417.\n" * 3, "cp1251"),
        ("Αυτό είναι ένα ελληνικό έγγραφο. " * 3, "cp1253"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_declared_encoding_counts_where_the_bytes_are_not_utf_8() -> None:
    czech = "Příliš žluťoučký kůň"
    assert decode(czech.encode("cp1250"), "windows-1250") == czech
    assert decode(czech.encode(), "windows-1250") == czech
    for codec in ("zip", "unicode_escape", "rot13", "no such thing", "x" * 90):
        assert decode("naïve".encode("cp1252"), codec) == "naïve"


def test_a_few_stray_bytes_do_not_change_the_encoding() -> None:
    assert decode(WESTERN.encode() + b"na\xefve \xff") == WESTERN + "naïve ÿ"


def test_what_a_terminal_would_act_on_is_gone() -> None:
    assert clean("\x1b]0;pwned\x07\x1b[2J\x1b[31mred\x1b[0m \x9b1m a\x00b\x07") == "red 1m ab"


def test_accents_are_composed_and_line_ends_are_one() -> None:
    assert clean("re\u0301sume\u0301\r\nか\u3099\rx") == "résumé\nが\nx"
    assert clean("a\u2028b\x85c\x0cd") == "a\u2028b c d"


@given(st.binary(max_size=300))
def test_any_bytes_become_clean_text(data: bytes) -> None:
    text = decode(data)
    text.encode()
    assert not any(
        unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text
    )


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_cleaning_twice_changes_nothing_and_lines_stay(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert once.count("\n") == lines


def test_paragraphs_have_their_lines() -> None:
    assert shown("text", "one\r\ntwo\r\rthree\n \n\n  four\n") == [
        ("one\ntwo", (1, 2)),
        ("three", (4, 4)),
        ("  four", (7, 7)),
    ]


def test_only_line_feeds_separate_lines() -> None:
    assert shown("text", "a\u2028b\u2029c\nd") == [("a\u2028b\u2029c\nd", (1, 2))]


@pytest.mark.parametrize("data", [b"", b" \n\t\r\n \xc2\xa0\n", b"\x00\x00\x07"])
def test_no_text_is_an_error(data: bytes) -> None:
    with pytest.raises(ParseError):
        read("text", data)


def test_text_beyond_the_limit_is_cut_at_a_line_and_said() -> None:
    (document,) = read("text", "line é\n" * 1000, limits=Limits(text_bytes=80))
    assert document.blocks[0].text == "\n".join(["line é"] * 10)
    assert document.warnings

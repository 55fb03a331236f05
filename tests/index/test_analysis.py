"""Text analysis: one spelling for what a person would call the same word."""

import random
import unicodedata

import pytest

from ragcli.index.analysis import LONGEST, asked_grams, asked_words, grams, names, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The CATS sat.", ["the", "cats", "sat"]),
        ("naïve Straße ﬁne Ｆｕｌｌ", ["naive", "strasse", "fine", "full"]),
        ("İstanbul ёжик край", ["istanbul", "ежик", "край"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("עִבְרִית كِتَاب", ["עברית", "كتاب"]),
        (
            "the patient's and cats’ soft\u00adhyphen",
            ["the", "patient", "and", "cats", "softhyphen"],
        ),
        ("camelCase HTTPServer mRNA p53", ["camel", "case", "http", "server", "mrna", "p53"]),
        (
            "snake_case foo.bar --dry-run a/b",
            ["snake", "case", "foo", "bar", "dry", "run", "a", "b"],
        ),
        ("cafe\u0301 = café", ["cafe", "cafe"]),
        ("汶川 and 東京", ["and"]),
        ("!!! ...", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("snake_case camelCase --snake-case", ["--snakecase", "camelcase", "snakecase"]),
        ("C++ and C# or foo::bar x->y", ["c#", "c++", "foo::bar", "x->y"]),
        ("version 1.2.3 of foo.bar in src/main.py", ["1.2.3", "foo.bar", "src/main.py"]),
        ("__init__ .gitignore user@example.org", [".gitignore", "__init__", "user@example.org"]),
        ("IL-6 mRNA p53", ["il6"]),
        ("plain words, e-mail, and/or beta-catenin.", []),
        ("Schlüssel_Wert größer.als", ["grosser.als", "schlusselwert"]),
        ("a" * 40 + "." + "b" * 40, []),
    ],
)
def test_names(text, expected):
    assert names(text) == expected


def test_scripts_without_spaces_are_found_by_pairs():
    assert grams("東京 tower") == ["東", "京", "東京"]
    assert asked_grams("東京タワー") == ["東京", "京タ", "タワ", "ワー"]
    assert asked_grams("水") == ["水"]
    assert grams("ภาษา") == ["ภ", "า", "ษ", "า", "ภา", "าษ", "ษา"]
    assert asked_grams("ﾀﾜｰ") == asked_grams("タワー"), "half and full width are the same"
    assert grams("plain") == []


def test_question_words_are_dropped_unless_nothing_is_left():
    assert asked_words("How does it work?", "english") == ["it", "work"]
    assert asked_words("The Who", "english") == ["the"]
    assert asked_words("Who?", "english") == ["who"]
    assert asked_words("How does it work?", "german") == ["how", "does", "it", "work"]


def test_any_text_has_short_terms_and_the_same_however_it_is_composed():
    generator = random.Random(5)
    alphabet = [chr(generator.randrange(32, 0xD000)) for _ in range(300)] + list("aB_-.:/@'’# +$")
    for _ in range(300):
        text = "".join(generator.choices(alphabet, k=60))
        for term in [*words(text), *names(text), *grams(text)]:
            assert 0 < len(term.encode()) < 60_000
            assert " " not in term
        assert words(unicodedata.normalize("NFD", text)) == words(
            unicodedata.normalize("NFC", text)
        )


@pytest.mark.parametrize(
    "piece", ["a_", "a.", "--", "a-", "_", "::", "aB", "é_", "\u0301", "ก", "a'"]
)
def test_hostile_text_is_analysed_in_linear_time(piece):
    """Half a million characters: seconds would become hours if this were quadratic."""
    text = piece * (500_000 // len(piece))
    assert all(len(term) <= LONGEST for term in words(text))
    assert len(names(text)) <= len(text)

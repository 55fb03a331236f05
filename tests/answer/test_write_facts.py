"""Figures, dates and names are compared by what they mean."""

from __future__ import annotations

import pytest

from ragcli.answer.facts import figures, names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,000 people", "1000 people"),
        ("twelve people", "12 people"),
        ("twenty-five", "25"),
        ("two hundred and six thousand", "206,000"),
        ("3.5 million", "3,500,000"),
        ("5 %", "five per cent"),
        ("5 percent", "5%"),
        ("10kg", "10 kilograms"),
        ("the nineteenth century", "the 19th century"),
        ("at 02:28", "at 2:28"),
        ("48,000 pounds", "£48,000"),
        ("5.0", "5"),
    ],
)
def test_the_same_figure_in_another_form_agrees(one: str, other: str) -> None:
    [first], [second] = figures(one), figures(other)
    assert first.agrees(second) and second.agrees(first)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1,000", "10,000"), ("5 km", "5 miles"), ("5 %", "5 days"), ("3.5", "35"), ("1890", "1980")],
)
def test_another_figure_or_unit_does_not_agree(one: str, other: str) -> None:
    assert not figures(one)[0].agrees(figures(other)[0])


@pytest.mark.parametrize(
    "text", ["12 May 2008", "May 12, 2008", "2008-05-12", "the 12th of May 2008", "12 may 2008"]
)
def test_a_date_is_its_day_month_and_year_in_any_order(text: str) -> None:
    values = {(figure.value, figure.unit) for figure in figures(text)}
    months = {(5.0, "month-name")} if "may" not in text else set()
    assert values == {(12.0, None), (2008.0, None), *months}


def test_a_span_of_years_gives_both() -> None:
    assert {figure.value for figure in figures("in 1914–18")} == {1914.0, 1918.0}


def test_words_that_also_mean_other_things_are_weak() -> None:
    assert [figure.weak for figure in figures("One of them came first, with 3 others.")] == [
        False, True, True,
    ]  # fmt: skip
    assert figures("It may march on.") == []


def test_names_are_capitalised_words_but_not_the_first_of_a_sentence() -> None:
    text = "Iron is heavy. Gustave Eiffel met NATO in May 1949. The Tower's owner left."
    assert names(text) == ["Gustave", "Eiffel", "NATO", "Tower's"]
    assert names("Luxen drew it.") == []
    assert names("Luxen drew it.", frozenset({"luxen"})) == ["Luxen"]


def test_any_text_is_read_in_time() -> None:
    for text in (
        "1," * 5000,
        "one " * 5000,
        "A" * 20_000,
        "A b " * 5000,
        "1914-" * 4000,
        "\0" * 9999,
    ):
        figures(text)
        names(text)

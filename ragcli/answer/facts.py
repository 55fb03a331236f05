"""Figures, dates and names in a text, brought to one form: 1,000 is 1000, `twelve` is 12, `Sept.` is September.

Knows English number words, months and units. What cannot be read is left out, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ragcli.answer.english import STOP
from ragcli.answer.words import stem

_SMALL_TEXT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_SMALL = {word: value for value, word in enumerate(_SMALL_TEXT.split())}
_TENS_TEXT = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * value for value, word in enumerate(_TENS_TEXT.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_OTHER = {"dozen": 12.0, "half": 0.5, "twice": 2.0, "both": 2.0, "single": 1.0}
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12,
    **{f"{word}th": value for word, value in _SMALL.items() if value > 3},
    **{f"{word[:-1]}ieth": value for word, value in _TENS.items()},
}  # fmt: skip
_WORDS = {**_SMALL, **_TENS, **_ORDINALS}
_ABBREVIATED = {"k": 1000, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9}
_MONTHS_TEXT = (
    "january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, "
    "september sept sep, october oct, november nov, december dec"
)
_MONTHS = {name: n for n, names in enumerate(_MONTHS_TEXT.split(","), 1) for name in names.split()}
_UNITS_TEXT = (
    "% percent percentage, km kilometer kilometers kilometre kilometres, metre metres meter meters, "
    "cm centimetre centimetres centimeter centimeters, mm millimetre millimetres millimeter "
    "millimeters, mile miles, ft foot feet, inch inches, kg kilogram kilograms kilo kilos, "
    "gram grams, tonne tonnes ton tons, $ dollar dollars usd, € euro euros eur, £ gbp, "
    "second seconds sec, minute minutes min, hour hours hr hrs, day days, week weeks, month months, "
    "year years yr yrs, century centuries, decade decades, degree degrees °, acre acres, "
    "hectare hectares ha, litre litres liter liters, kb, mb, gb, tb, hz, mhz, ghz, volt volts, "
    "watt watts, kw, mw"
)
_UNITS = {form: forms.split()[0] for forms in _UNITS_TEXT.split(",") for form in forms.split()}
"""Units by the forms they are written in; what may mean several things (m, pounds) is none."""
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMBER = re.compile(
    r"(?P<money>[$€£])?\s?(?<![\w.])(?P<digits>\d{1,3}(?:[,   ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<clock>:\d\d)?(?P<decade>['’]?s\b)?(?P<ordinal>(?:st|nd|rd|th)\b)?"
    r"(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|bn|mn|k\b|m\b(?=illion))s?)?"
    r"(?:[\s-]{0,2}(?P<unit>%|°|per ?cent|[^\W\d_]+))?",
    re.IGNORECASE,
)
_WORD_NUMBER = re.compile(
    rf"\b(?:{'|'.join(sorted([*_WORDS, *_SCALES, *_OTHER], key=len, reverse=True))})s?\b"
    rf"(?:(?:[\s-]|\sand\s)(?:{'|'.join(sorted([*_WORDS, *_SCALES], key=len, reverse=True))})s?\b)*",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"\b(?P<a>\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?)?(?P<month>{_MONTH})\b\.?(?P<b>\s\d{{1,4}})?",
    re.IGNORECASE,
)
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_SPAN = re.compile(r"\b(\d{2})(\d{2})\s?[-–—/]\s?(\d{2})\b(?![-/]\d)")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_WEAK = frozenset({"one", "first", "second", "both", "single", "half", "twice", "third", "dozen"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it counts, where that is a unit; `weak` where the word also means other things."""

    value: float | str
    unit: str | None
    said: str
    weak: bool = False

    def agrees(self, other: Figure) -> bool:
        """Whether both give the same number of the same, as far as a unit is given."""
        same_unit = self.unit is None or other.unit is None or self.unit == other.unit
        return self.value == other.value and same_unit


def figures(text: str) -> list[Figure]:
    """The numbers of a text, in digits and in words; months are figures of the unit `month-name`."""
    text = _ISO.sub(lambda m: f"{int(m[3])} {_named(int(m[2]))} {m[1]}", text)
    text = _SPAN.sub(lambda m: f"{m[1]}{m[2]} – {m[1]}{m[3]}", text)
    return [*_in_digits(text), *_in_words(text), *_months(text)]


def given(figure: Figure, others: Iterable[Figure]) -> bool:
    """Whether one of the others is the same."""
    return any(figure.agrees(other) for other in others)


def names(text: str, known: frozenset[str] = frozenset()) -> list[str]:
    """The capitalised words of a text, as written. The first word of a sentence counts where it is
    `known` to be a name (its stem), or where another name stands right behind it."""
    found: list[str] = []
    words = list(_WORD.finditer(text))
    for n, match in enumerate(words):
        word = match[0]
        if len(word) == 1 or not word[0].isupper() or word.casefold() in STOP or stem(word) in STOP:
            continue
        if _is_number(word) or word.casefold() in _MONTHS.keys() - {"may"}:
            continue
        if not _opens(text, match.start()) or _sure(text, words, n, known):
            found.append(word)
    return found


def _sure(text: str, words: list[re.Match[str]], n: int, known: frozenset[str]) -> bool:
    word = words[n][0]
    if stem(word) in known or (len(word) > 1 and word[1:].lower() != word[1:]):
        return True
    following = words[n + 1] if n + 1 < len(words) else None
    return (
        following is not None
        and text[words[n].end() : following.start()] == " "
        and following[0][0].isupper()
        and following[0] != "I"
    )


def _opens(text: str, at: int) -> bool:
    return text[:at].rstrip(" \"'“‘(*_")[-1:] in ("", ".", "!", "?", ":", "\n")


def _is_number(word: str) -> bool:
    plain = word.casefold().removesuffix("s")
    return plain in _WORDS or plain in _SCALES or plain in _OTHER


def _in_digits(text: str) -> Iterator[Figure]:
    for match in _NUMBER.finditer(text):
        if match["clock"]:
            yield Figure(
                f"{int(match['digits'])}{match['clock']}", None, match["digits"] + match["clock"]
            )
            continue
        value = float(re.sub(r"[^\d.]", "", match["digits"]))
        scale = (match["scale"] or "").casefold()
        value *= _SCALES.get(scale, _ABBREVIATED.get(scale, 1))
        unit = match["money"] or _unit(match["unit"])
        yield Figure(round(value, 6), unit, match[0].split(match["unit"] or "\0")[0].strip())


def _unit(word: str | None) -> str | None:
    if word is None:
        return None
    plain = word.casefold()
    return "%" if plain.startswith("per") and plain.endswith("cent") else _UNITS.get(plain)


def _in_words(text: str) -> Iterator[Figure]:
    for match in _WORD_NUMBER.finditer(text):
        if match.start() and text[match.start() - 1].isdigit():
            continue
        parts = [part.casefold().removesuffix("s") for part in re.split(r"[\s-]+", match[0])]
        parts = [part for part in parts if part != "and"]
        before = re.search(r"\d[\d.,]*[\s-]?$", text[: match.start()])
        if before and parts[0] in _SCALES:
            continue
        behind = re.match(r"[\s-]{1,2}(per ?cent|[^\W\d_]+)", text[match.end() :], re.IGNORECASE)
        unit = _unit(behind[1]) if behind else None
        weak = len(parts) == 1 and (parts[0] in _WEAK or parts[0] in _SCALES)
        yield Figure(_value(parts), unit, match[0], weak)


def _value(parts: list[str]) -> float:
    total = current = 0.0
    for part in parts:
        if part in _SCALES:
            current = max(current, 1) * _SCALES[part]
            if _SCALES[part] > 100:
                total, current = total + current, 0.0
        else:
            current += _WORDS.get(part, _OTHER.get(part, 0))
    return total + current


def _months(text: str) -> Iterator[Figure]:
    for match in _DATE.finditer(text):
        month = match["month"]
        dated = match["a"] or match["b"]
        if month[0].isupper() and (dated or month.casefold() not in ("may", "march", "mar")):
            yield Figure(float(_MONTHS[month.casefold()]), "month-name", month)


def _named(month: int) -> str:
    return next((name for name, n in _MONTHS.items() if n == month), "").capitalize()

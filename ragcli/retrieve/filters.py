"""The filter language: `path:docs/** type:pdf page:3-7 after:2024-01-01 -title:"old notes"`.

A filter is a row of conditions `key:value`; a value with spaces stands in quotes, and `-` or `!` in
front leaves out what matches. Conditions with one key are alternatives, different keys must all
hold, and what is left out is left out whatever else holds.

    path:     a file or folder. With a slash from the working directory, without one at any depth;
              `*` and `?` stay within a name, `**` spans folders
    type:     a format or a suffix, such as pdf, markdown or .md; several with commas
    page:     a page (slide, cell) or a range: 3, 3-7, 3-, -7
    after:    dated on this day or later: 2024, 2024-06 or 2024-06-30
    before:   dated before this day
    title:    words of the title in any case; with `*` or `?` the whole title
    doc_id:   the id of a record; `*` and `?` are wildcards
    meta:     a field of a record or document, `meta:author=Smith`; `*` and `?` are wildcards

The date of a document is the `date` its format gives (PDF, Office and mail do, and records with
such a field), else the day its file was last changed. This module reads filters; `selection`
finds what they leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.formats import FORMATS, SUFFIXES
from ragcli.index.ledger import Ledger
from ragcli.index.rows import Selection

_ITEM = re.compile(
    r"""(?P<without>[-!]?)(?P<key>[A-Za-z_]+):(?P<value>(?:"[^"]*"|'[^']*'|[^\s"'])+)(?=\s|$)"""
)
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_PAGES = re.compile(r"(\d+)|(\d*)-(\d*)")
LAST_PAGE = 2**31


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on documents; `field` names the metadata field of a `meta` condition."""

    key: str
    value: str
    without: bool = False
    field: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on documents, and the pages that are left of them."""

    conditions: tuple[Condition, ...] = ()
    pages: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.conditions) or self.pages is not None

    def select(self, ledger: Ledger, cwd: Path) -> Selection:
        """What is left of a collection; relative paths start at `cwd`."""
        from ragcli.retrieve.selection import documents

        found = documents(ledger, self.conditions, cwd) if self.conditions else None
        return Selection(found, self.pages)


def parse(expression: str | Sequence[str]) -> Filter:
    """Read a filter, or several that must all hold.

    Raises UsageError, with what to type, when it cannot be understood.
    """
    parts = [expression] if isinstance(expression, str) else list(expression)
    conditions: list[Condition] = []
    pages: list[tuple[int, int]] = []
    for key, value, without in (item for part in parts for item in _items(part)):
        if key == "page":
            pages.append(_pages(value, without))
        else:
            conditions.extend(_READERS[key](value, without))
    if len(set(pages)) > 1:
        raise UsageError("A filter takes one page or range.", "Write page:3 or page:3-7, once.")
    return Filter(tuple(conditions), pages[0] if pages else None)


def _items(text: str) -> list[tuple[str, str, bool]]:
    items, at = [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        match = _ITEM.match(text, at)
        if match is None:
            raise _unreadable(text[at:])
        key = match["key"].lower()
        if key != "page" and key not in _READERS:
            raise _unknown(key, match["value"])
        value = _QUOTED.sub(lambda m: m[1] if m[1] is not None else m[2], match["value"])
        if not value.strip():
            raise UsageError(f"{key}: has no value.", f"Write {_EXAMPLES[key]}.")
        items.append((key, value, bool(match["without"])))
        at = match.end()
    return items


def _types(value: str, without: bool) -> list[Condition]:
    return [Condition("type", _format(name.strip()), without) for name in value.split(",")]


def _format(name: str) -> str:
    lowered = name.lower()
    found = SUFFIXES.get("." + lowered.lstrip("."))
    if lowered in FORMATS:
        return lowered
    if found is None:
        near = get_close_matches(lowered, [*FORMATS, *(s[1:] for s in SUFFIXES)], 1)
        hint = f"Did you mean type:{near[0]}? " if near else ""
        raise UsageError(
            f"There is no type {name!r}.", f"{hint}Types are suffixes and: {', '.join(FORMATS)}."
        )
    return found


def _day(key: str) -> Callable[[str, bool], list[Condition]]:
    def read(value: str, without: bool) -> list[Condition]:
        match = _DAY.fullmatch(value)
        try:
            if match is None:
                raise ValueError
            day = date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
        except ValueError:
            raise UsageError(
                f"{key}:{value} is not a date.", f"Write {_EXAMPLES[key]} (year-month-day)."
            ) from None
        return [Condition(key, day.isoformat(), without)]

    return read


def _meta(value: str, without: bool) -> list[Condition]:
    field, equals, wanted = value.partition("=")
    if not equals or not field or not wanted or '"' in field:
        raise UsageError(f"meta:{value} names no field.", f"Write {_EXAMPLES['meta']}.")
    return [Condition("meta", wanted, without, field)]


def _as_written(key: str) -> Callable[[str, bool], list[Condition]]:
    return lambda value, without: [Condition(key, value, without)]


def _pages(value: str, without: bool) -> tuple[int, int]:
    match = _PAGES.fullmatch(value)
    if match is None or value == "-" or without:
        raise UsageError(
            f"{'-' if without else ''}page:{value} is not a page or a range.",
            "Write page:3, page:3-7, page:3- or page:-7.",
        )
    first = int(match[1] or match[2] or 1)
    last = int(match[1] or match[3] or LAST_PAGE)
    if first > last:
        raise UsageError(f"page:{value} ends before it begins.", f"Write page:{last}-{first}.")
    return min(first, LAST_PAGE), min(last, LAST_PAGE)


_READERS: dict[str, Callable[[str, bool], list[Condition]]] = {
    "path": _as_written("path"),
    "type": _types,
    "after": _day("after"),
    "before": _day("before"),
    "title": _as_written("title"),
    "doc_id": _as_written("doc_id"),
    "meta": _meta,
}
_EXAMPLES = {
    "path": "path:docs/** or path:'my notes'",
    "type": "type:pdf",
    "page": "page:3 or page:3-7",
    "after": "after:2024-01-31",
    "before": "before:2024-01-31",
    "title": "title:guide",
    "doc_id": "doc_id:4983",
    "meta": "meta:author=Smith",
}


def _unknown(key: str, value: str) -> UsageError:
    near = get_close_matches(key, _EXAMPLES, 1)
    hint = f"Did you mean {near[0]}:{value}? " if near else ""
    return UsageError(
        f"A filter has no key {key!r}.",
        f"{hint}Keys: {', '.join(_EXAMPLES)}; another field is meta:{key}={value}.",
    )


def _unreadable(text: str) -> UsageError:
    word = text.split()[0]
    if word.count('"') % 2 or word.count("'") % 2:
        return UsageError(f"A quote in the filter is not closed: {text}", "Close it.")
    return UsageError(
        f"{word!r} is not a condition.", f"Write key:value, such as {_EXAMPLES['path']}."
    )

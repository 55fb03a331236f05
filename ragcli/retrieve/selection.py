"""Finds the documents that the conditions of a filter leave, through the ledger.

All values travel as SQL parameters; patterns on paths and titles are matched here.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.index.identity import sound
from ragcli.index.ledger import Ledger
from ragcli.retrieve.filters import Condition

Clause = tuple[str, list[object]]

_FIELD = "json_extract(d.metadata, ?)"
_DATE = """(CASE
  WHEN json_extract(d.metadata, '$.date') GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    THEN substr(json_extract(d.metadata, '$.date'), 1, 10)
  WHEN json_extract(d.metadata, '$.date') GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'
    THEN json_extract(d.metadata, '$.date') || '-01'
  WHEN json_extract(d.metadata, '$.date') GLOB '[1-2][0-9][0-9][0-9]'
    THEN json_extract(d.metadata, '$.date') || '-01-01'
  ELSE date(f.mtime_ns / 1000000000, 'unixepoch', 'localtime') END)"""


def documents(ledger: Ledger, conditions: Sequence[Condition], cwd: Path) -> frozenset[int]:
    """The ids of the documents that satisfy all conditions (alternatives within a key)."""
    clauses: list[str] = []
    values: list[object] = []
    ordered = sorted(conditions, key=_group)
    for (_, _, without), group in groupby(ordered, key=_group):
        made = [_clause(ledger, condition, cwd) for condition in group]
        either = " OR ".join(f"({sql})" for sql, _ in made)
        # IS TRUE: a document without the value neither matches nor is left out for it.
        clauses.append(f"(({either}) IS {'NOT ' if without else ''}TRUE)")
        values.extend(value for _, parameters in made for value in parameters)
    rows = ledger.query(
        "SELECT d.id FROM documents d JOIN files f ON f.id = d.file"  # noqa: S608
        f" WHERE f.state = 'ready' AND {' AND '.join(clauses)}",
        values,
    )
    return frozenset(row[0] for row in rows)


def path_pattern(pattern: str, cwd: Path) -> re.Pattern[str]:
    """A glob over absolute paths: what it matches, and everything below that."""
    bare = pattern.rstrip("/")
    if "/" not in pattern:
        front, rest = "(?:.*/)?", bare
    else:
        front, rest = "", os.path.normpath(cwd / bare) if bare else "/"
    body = "".join(_glob(rest))
    try:
        return re.compile(f"{front}{body.removesuffix('/')}(?:/.*)?", re.DOTALL)
    except re.error as error:
        raise UsageError(
            f"path:{pattern} is not a pattern ({error.msg}).", "Write path:docs/** or path:[a-z]*."
        ) from None


def _group(condition: Condition) -> tuple[str, str, bool]:
    return condition.key, condition.field, condition.without


def _clause(ledger: Ledger, condition: Condition, cwd: Path) -> Clause:
    value = condition.value
    match condition.key:
        case "path":
            return _path(ledger, path_pattern(value, cwd))
        case "type":
            return "f.format = ?", [value]
        case "after":
            return f"{_DATE} >= ?", [value]
        case "before":
            return f"{_DATE} < ?", [value]
        case "title":
            return _title(ledger, value)
        case "doc_id":
            return _like("d.doc_id", [], value)
        case _:
            return _like(_FIELD, [f'$."{condition.field}"'], value)


def _path(ledger: Ledger, pattern: re.Pattern[str]) -> Clause:
    rows = ledger.query("SELECT id, path FROM files WHERE state = 'ready'")
    return "d.file IN (SELECT value FROM json_each(?))", [
        json.dumps([file for file, path in rows if pattern.fullmatch(path)])
    ]


def _title(ledger: Ledger, wanted: str) -> Clause:
    matches = _title_test(wanted.casefold())
    rows = ledger.query("SELECT DISTINCT title FROM documents WHERE title IS NOT NULL")
    titles = [title for (title,) in rows if matches(title.casefold())]
    return "d.title IN (SELECT value FROM json_each(?))", [json.dumps(titles)]


def _title_test(wanted: str) -> Callable[[str], object]:
    if "*" in wanted or "?" in wanted:
        return re.compile(fnmatch.translate(wanted.replace("[", "[[]"))).match
    return lambda title: wanted in title


def _like(column: str, parameters: list[object], wanted: str) -> Clause:
    """Equal in any case, or matching wildcards, whatever the type of the stored value."""
    wanted = sound(wanted)
    if "*" in wanted or "?" in wanted:
        # GLOB has classes of its own: a bracket stands for itself here.
        return f"{column} GLOB ?", [*parameters, wanted.replace("[", "[[]")]
    if wanted.lower() in ("true", "false"):
        return (
            f"CAST({column} AS TEXT) IN (?, ?)",
            [*parameters, wanted.lower(), str(int(wanted.lower() == "true"))],
        )
    return f"CAST({column} AS TEXT) = ? COLLATE NOCASE", [*parameters, wanted]


def _glob(pattern: str) -> Iterable[str]:
    for piece in re.split(r"(\*\*/|\*\*|\*|\?|\[[!^]?\]?[^\]/]*\])", pattern):
        match piece:
            case "**/":
                yield "(?:.*/)?"
            case "**":
                yield ".*"
            case "*":
                yield "[^/]*"
            case "?":
                yield "[^/]"
            case _ if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
                yield _class(piece[1:-1])
            case _:
                yield re.escape(piece)


def _class(inside: str) -> str:
    negated = inside[:1] in ("!", "^")
    members = re.findall(r"(.)-(.)|(.)", inside[negated:], re.DOTALL)
    body = "".join(
        f"{re.escape(first)}-{re.escape(last)}" if first else re.escape(one)
        for first, last, one in members
    )
    return f"[{'^/' if negated else ''}{body}]"

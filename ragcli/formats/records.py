"""Records of a JSONL or CSV file: which become documents of their own, and how the others read.

A record is a document when one of its fields is the text; the names are those of common corpora
(BEIR's `corpus.jsonl`: `_id`, `title`, `text`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

from ragcli.formats.encoding import clean
from ragcli.formats.limits import Limits, cut
from ragcli.formats.text import paragraphs
from ragcli.types import Lines, Parsed, Scalar

_TEXT = ("text", "body", "content", "contents", "abstract", "passage", "paragraph", "document")
_ID = ("_id", "id", "doc_id", "docid")
_TITLE = ("title",)
_LONGEST_VALUE = 1000
_LARGEST_INTEGER = 2**63


def document(fields: Mapping[str, object], lines: Lines, limits: Limits) -> Parsed | None:
    """The record as a document, or None where it has no text field."""
    names = {name.lower(): name for name in fields}
    held = [names[key] for key in _TEXT if _is_text(fields.get(names.get(key, "")))]
    if not held:
        return None
    name = held[0]
    text, warnings = cut(clean(str(fields[name])), limits)
    blocks = [replace(block, lines=lines) for block in paragraphs(text.split("\n"))]
    if not blocks:
        return None
    rest = {key: value for key, value in fields.items() if key != name}
    doc_id, title = _take(rest, names, _ID), _take(rest, names, _TITLE)
    return Parsed(blocks, title, doc_id, _metadata(rest), warnings=warnings)


def has_text_field(names: list[str]) -> bool:
    """Whether a table with these columns holds documents."""
    return any(name.lower() in _TEXT for name in names)


def sentence(value: object) -> str:
    """A record without a text field as one line: `name: value; name: value`."""
    if not isinstance(value, Mapping):
        return _words(value)
    pairs = ((_words(name), _words(item)) for name, item in value.items())
    return "; ".join(f"{name}: {item}" if name else item for name, item in pairs if item)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not value.isspace() and value != ""


def _take(rest: dict[str, object], names: Mapping[str, str], wanted: tuple[str, ...]) -> str | None:
    for key in wanted:
        value = rest.get(names.get(key, ""))
        if isinstance(value, str | int) and not isinstance(value, bool):
            del rest[names[key]]
            return _words(value)[:_LONGEST_VALUE] or None
    return None


def _metadata(rest: Mapping[str, object]) -> dict[str, Scalar]:
    """The plain values of a record, and of the mappings directly in it."""
    found: dict[str, Scalar] = {}
    for name, value in rest.items():
        inner = value if isinstance(value, Mapping) else {name: value}
        found |= {
            clean(str(key)): plain for key, item in inner.items() if (plain := _scalar(item)) != ""
        }
    return found


def _scalar(value: object) -> Scalar:
    if isinstance(value, str):
        return clean(value).strip()[:_LONGEST_VALUE]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_INTEGER else str(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    return ""


def _words(value: object) -> str:
    """A value as it reads in a line: lists by comma, what is nested deeper as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(clean(value).split())
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(_words(item) for item in value)
    return clean(json.dumps(value, ensure_ascii=False))

"""The front matter of a Markdown file: where it ends, its title and its other plain values.

Only `key: value` (YAML) and `key = value` (TOML) lines of the outermost level are read, each by
itself, so that broken or hostile front matter costs nothing: there is no YAML parser to attack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ragcli.types import Scalar

_LONGEST = 400
_OPENS = re.compile(r"(?:---|\+\+\+)[ \t]*$")
_FIELD = re.compile(r"([^\s:=#\"'\[{&*!|>%@`-][^:=]{0,60}?)[ \t]*(?:: |:$|= )[ \t]*(.*)$")
_LIKELY = re.compile(r"(?:#|[\[{]|- |[^\s:=]+[ \t]*[:=])")
_KEPT = 24
_LONGEST_VALUE = 1000


@dataclass(slots=True)
class FrontMatter:
    """What the front matter says; `lines` is how many lines it takes, 0 where there is none."""

    lines: int = 0
    title: str | None = None
    metadata: dict[str, Scalar] = field(default_factory=dict)


def read(lines: list[str]) -> FrontMatter:
    """Read the front matter that a document opens with, if it does."""
    if len(lines) < 3 or not _OPENS.match(lines[0]) or not _LIKELY.match(lines[1]):
        return FrontMatter()
    fence = lines[0].rstrip()
    for number, line in enumerate(lines[1:_LONGEST], 1):
        if line.rstrip() in (fence, "..." if fence == "---" else fence):
            values = _values(lines[1:number])
            title = values.pop("title", None)
            return FrontMatter(number + 1, title, dict(list(values.items())[:_KEPT]))
    return FrontMatter()


def _values(lines: list[str]) -> dict[str, str]:
    found = (_FIELD.match(line) for line in lines)
    pairs = ((match[1].strip(), _plain(match[2].strip())) for match in found if match)
    return {key.lower(): value for key, value in pairs if value}


def _plain(value: str) -> str:
    """A scalar without its quotes and comment; empty for lists, mappings, blocks and tags."""
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        while end > 0 and value[end - 1] == "\\":
            end = value.find(value[0], end + 1)
        return value[1:end].replace('\\"', '"').strip()[:_LONGEST_VALUE] if end > 0 else ""
    if value[:1] in ("[", "{", "&", "*", "!", "|", ">", "%", "@", "`", "#"):
        return ""
    return value.partition(" #")[0].strip()[:_LONGEST_VALUE]

"""One pattern in the language of .gitignore, compiled so that no pattern can take long to match.

Works on bytes, as git does: `?` is one byte, a class holds bytes. Knows nothing of files of
patterns or of folders; see ignore.py for those.

The language is that of gitignore(5), with git's own reading of the corners: the literal beginning
of a pattern is compared first, so that `**` right behind it counts as a whole path component.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAMED = re.compile(rb"\[:([^\]]*):\]", re.DOTALL)
_SPECIAL = re.compile(rb"[*?\[\\]")
_POSIX = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"\x21-\x7e",
    b"lower": rb"a-z",
    b"print": rb"\x20-\x7e",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb" \t\n\r\f\v",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}
_STAR, _ANY, _FOLDERS = "*", "**", "**/"


class _Invalid(ValueError):
    """A pattern that git never matches: an open class, a backslash at the end."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern; `in_name` patterns look at the last component of a path only."""

    literal: bytes
    rest: re.Pattern[bytes] | None
    in_name: bool
    folders_only: bool

    def matches(self, path: bytes) -> bool:
        """Whether the pattern matches `path`, which is relative to where the pattern stands."""
        text = path.rsplit(b"/", 1)[-1] if self.in_name else path
        if self.rest is None:
            return text == self.literal
        return text.startswith(self.literal) and bool(self.rest.match(text, len(self.literal)))


def compile_glob(pattern: bytes) -> Glob | None:
    """Compile a pattern without its `!`; None for one that can never match.

    Matching takes time linear in the path for each wildcard: every part but the last is atomic.
    """
    folders_only = pattern.endswith(b"/")
    body = pattern[:-1] if folders_only else pattern
    in_name = b"/" not in body
    body = body.removeprefix(b"/")
    special = _SPECIAL.search(body)
    literal = body[: special.start()] if special else body
    if not body:
        return None
    try:
        rest = _compile(body[len(literal) :]) if special else None
    except _Invalid:
        return None
    return Glob(literal, rest, in_name, folders_only)


def _compile(body: bytes) -> re.Pattern[bytes]:
    groups: list[list[tuple[str, bytes]]] = [[("", b"")]]
    for kind, value in _tokens(body):
        if kind == "fixed":
            gap, fixed = groups[-1][-1]
            groups[-1][-1] = (gap, fixed + value)
        elif kind == _STAR:
            groups[-1].append((kind, b""))
        else:
            groups.append([(kind, b"")])
    # The earliest match of a group is as good as any later one: what follows it takes the slack.
    source = b"".join(b"(?>" + _group(group, final=False) + b")" for group in groups[:-1])
    return re.compile(source + _group(groups[-1], final=True) + rb"\Z", re.DOTALL)


def _group(pieces: list[tuple[str, bytes]], *, final: bool) -> bytes:
    (wide, fixed), *stars = pieces
    source = {"": b"", _ANY: b".*?", _FOLDERS: b"(?:.*?/)??"}[wide] + fixed
    for index, (_, behind) in enumerate(stars):
        last = final and index == len(stars) - 1
        source += b"[^/]*" + behind if last else b"(?>[^/]*?" + behind + b")"
    return source


def _tokens(body: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(body):
        char = body[at : at + 1]
        if char == b"*":
            kind, at = _stars(body, at)
            yield kind, b""
        elif char == b"?":
            yield "fixed", b"[^/]"
            at += 1
        elif char == b"[":
            value, at = _class(body, at + 1)
            yield "fixed", value
        else:
            if char == b"\\":
                at += 1
                char = body[at : at + 1]
                if not char:
                    raise _Invalid
            yield "fixed", re.escape(char)
            at += 1


def _stars(body: bytes, at: int) -> tuple[str, int]:
    end = at
    while body[end : end + 1] == b"*":
        end += 1
    opens = at == 0 or body[at - 1 : at] == b"/"
    behind = body[end : end + 2]
    if end - at == 1 or not opens:
        return _STAR, end
    if behind.startswith(b"/"):
        return _FOLDERS, end + 1
    return (_ANY, end) if not behind or behind == b"\\/" else (_STAR, end)


def _class(body: bytes, at: int) -> tuple[bytes, int]:
    """Read a class from behind its `[`; returns a regular expression for it and where it ends."""
    negated = body[at : at + 1] in (b"!", b"^")
    at += negated
    first, previous, parts = at, b"", b""
    while (char := body[at : at + 1]) != b"]" or at == first:
        named = _NAMED.match(body, at)
        if named:
            if named[1] not in _POSIX:
                raise _Invalid
            parts, previous, at = parts + _POSIX[named[1]], b"", named.end()
            continue
        ranged = char == b"-" and previous and body[at + 1 : at + 2] not in (b"", b"]")
        at += bool(ranged)
        char, at = _member(body, at)
        if ranged:
            parts += _range(previous, char)
        else:
            parts += re.escape(char)
        previous = b"" if ranged else char
    inside = b"[" + parts + b"]" if parts else b"(?!)"
    if negated:
        return b"(?!" + inside + b")[^/]", at + 1
    return b"(?!/)" + inside, at + 1


def _member(body: bytes, at: int) -> tuple[bytes, int]:
    at += body[at : at + 1] == b"\\"
    char = body[at : at + 1]
    if not char:
        raise _Invalid
    return char, at + 1


def _range(low: bytes, high: bytes) -> bytes:
    return re.escape(low) + b"-" + re.escape(high) if low <= high else b""

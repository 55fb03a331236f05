"""Printed lines, with where they stand on a page, back into running paragraphs.

Pure functions over plain data: knows no PDF. Lengths are in points; `y` grows upwards.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

BREAK = "\ufffe"
"""Stands for a hyphen at the end of a printed line, inside a text that was already joined there."""

_BULLETS = "•◦▪■□●○▫‣⁃∙►▶➢➤✓✔❖♦\u27a2\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf06e\uf0a8\uf02d\uf0e0"
_BULLET = re.compile(f"[{_BULLETS}]|[–—*-] ")
_NUMBER = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)] ")
_PRIVATE_BULLET = re.compile(r"(?m)^(\s*)[\ue000-\uf8ff](?=\s|$)\s*")
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_COMPATIBILITY = re.compile(
    r"[\ufb00-\ufb4f\ufb50-\ufdff\ufe70-\ufefe\uff01-\uffef\u2e80-\u2fdf\U0001d400-\U0001d7ff]+"
)
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile(r"[\u00ad\u200b\u2060\ufeff\ufffd\ufffe\uffff]")
_SOFT_HYPHEN = re.compile("\u00ad(?=\\s*$)|[\u0002\ufffe]")
_COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_AROUND_BREAK = re.compile(rf"(\w*){BREAK}\s*(\w*)")
_LEADER = re.compile(r"(?:[.…] ?){4,}\W*\w{1,6}$")
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"^[\W_]*#[\W_]*$|^#\W.{25}|.{25}\W#$"
    r"|\b(?:page|p|pp|seite|s|pagina|pág|página|стр|strona|sida|side|blz|pg)\W{0,3}#",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(r"[\W_]*\d{1,5}[\W_]*")
_SHORT_PAGE = 10


@dataclass(slots=True)
class Line:
    """A printed line: baseline of its first and last words, left and right edge, size of its type."""

    text: str
    left: float
    right: float
    y: float
    y_end: float
    size: float
    hanging: bool = False
    """Something without text, such as a drawn bullet, stands before it."""

    @property
    def letter(self) -> float:
        """The width of a letter, on average."""
        width = self.right - self.left
        return width / len(self.text) if width > 0 and len(self.text) > 1 else self.size / 2


def normalise(text: str) -> str:
    """Characters that only exist for print, as those that people type: ligatures, wide forms, bullets.

    Superscripts, fractions and the like carry meaning and stay. The mark of a hyphenated line end
    becomes BREAK.
    """
    if text.isascii() and "\x02" not in text:
        return text
    text = _SOFT_HYPHEN.sub("\x00", text)
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text)).replace("\x00", BREAK)
    text = _COMPATIBILITY.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return _PRIVATE.sub("", _PRIVATE_BULLET.sub(r"\1• ", text))


def paragraphs(lines: Sequence[Line], starts: frozenset[int] = frozenset()) -> Iterator[list[Line]]:
    """Group lines in reading order into paragraphs; a new one begins at each index in `starts`."""
    pitch = _usual_pitch(lines)
    group: list[Line] = []
    for index, line in enumerate(lines):
        if group and (index in starts or _begins(group, line, pitch)):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _usual_pitch(lines: Sequence[Line]) -> float:
    steps = [
        above.y_end - line.y
        for above, line in pairwise(lines)
        if 0.5 * line.size < above.y_end - line.y < 3 * line.size and _same_size(above, line)
    ]
    return median(steps) if steps else 0.0


def _same_size(one: Line, other: Line) -> bool:
    return max(one.size, other.size) <= 1.15 * min(one.size, other.size)


def _same_row(above: Line, line: Line) -> bool:
    """Whether two pieces stand beside each other, one perhaps raised."""
    apart = abs(above.y_end - line.y)
    return apart < 0.7 * max(above.size, line.size) and line.left > above.right - line.size


def _begins(group: list[Line], line: Line, pitch: float) -> bool:
    """Whether a line begins a paragraph rather than going on with the one above."""
    above = group[-1]
    if _same_row(above, line):
        return False
    step = above.y_end - line.y
    if step <= 0.3 * line.size or step > 3 * max(line.size, above.size):
        return True
    if not _same_size(above, line) or step > 1.3 * _pitch_of(group, pitch, line):
        return True
    if _BULLET.match(line.text) or line.hanging:
        return True
    short = not wraps(above, line, _edge(group, line))
    indent = line.left - min(each.left for each in group[-8:])
    return short and (bool(_NUMBER.match(line.text)) or line.size < indent < 6 * line.size)


def _pitch_of(group: list[Line], pitch: float, line: Line) -> float:
    """The distance of baselines to expect: that of the paragraph so far, else that of the page."""
    for above, below in zip(group[-2::-1], group[:0:-1], strict=False):
        step = above.y_end - below.y
        if step > 0.5 * line.size:
            return step
    return max(pitch, 1.1 * line.size) if pitch else 1.5 * line.size


def _edge(group: Sequence[Line], line: Line) -> float:
    return max(line.right, *(each.right for each in group[-50:]))


def wraps(above: Line, line: Line, edge: float) -> bool:
    """Whether a line ended only because the next word would have passed the right edge."""
    word = line.text.split(maxsplit=1)[0] if line.text.strip() else ""
    return above.right + (len(word) + 1) * above.letter > edge - 0.5 * above.size


def join(group: Sequence[Line], compounds: frozenset[str] = frozenset()) -> str:
    """The text of a paragraph: a space where a line was full, a line end where it was not."""
    edge = max(line.right for line in group)
    parts = [group[0].text.strip()]
    for above, line in pairwise(group):
        parts.append(_glue(above, line, edge))
        parts.append(line.text.strip())
    text = "".join(parts)
    return dehyphenate(text, compounds) if BREAK in text else text


def _glue(above: Line, line: Line, edge: float) -> str:
    if above.text.rstrip().endswith(BREAK):
        return ""
    if _same_row(above, line):
        return "" if line.text[:1] in ",.;:)]" else " "
    if _LEADER.search(above.text) or not wraps(above, line, edge):
        return "\n"
    dashed = len(above.text) > 1 and above.text[-1] == "-" and above.text[-2].isalpha()
    return "" if dashed and line.text[:1].islower() else " "


def compounds_of(texts: Iterator[str]) -> frozenset[str]:
    """The words that a document writes with a hyphen inside a line, case folded."""
    found: set[str] = set()
    for text in texts:
        if "-" in text and len(found) < 100_000:
            found.update(word.casefold() for word in _COMPOUND.findall(text))
    return frozenset(found)


def dehyphenate(text: str, compounds: frozenset[str]) -> str:
    """Join words cut at a line end, keeping the hyphen of words that are written with one."""

    def rejoin(match: re.Match[str]) -> str:
        before, after = match[1], match[2]
        hyphenated = f"{before}-{after}"
        capitals = before.isupper() and after.isupper() and len(before) > 1
        keep = not (after[:1].islower() or capitals) or hyphenated.casefold() in compounds
        return hyphenated if keep else before + after

    return _AROUND_BREAK.sub(rejoin, text)


def is_item(text: str) -> bool:
    """Whether a paragraph is an item of a list, by how it begins."""
    return bool(_BULLET.match(text) or _NUMBER.match(text))


_Key = tuple[str, int | None, int]


def drop_running(pages: Sequence[list[Line]]) -> None:
    """Remove, in place, lines that three pages or more have at one height of their top or bottom.

    Page numbers count as the same line. The first of each stays, and short pages stay whole.
    """
    edges = [_edges(lines) for lines in pages]
    count: Counter[_Key] = Counter()
    for number, (top, bottom) in enumerate(edges):
        count.update(key for line in (*top, *bottom) for key in _keys(line, number))
    seen: set[_Key] = set()
    for number, (lines, both) in enumerate(zip(pages, edges, strict=True)):
        gone: set[int] = set()
        for edge in both:
            for line in edge:
                keys = [key for key in _keys(line, number) if count[key] >= 3]
                if not keys:
                    break
                if _BARE_NUMBER.fullmatch(line.text.strip()) or not seen.isdisjoint(keys):
                    gone.add(id(line))
                seen.update(keys)
        lines[:] = [line for line in lines if id(line) not in gone]


def _edges(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The three highest and the three lowest lines of a page, from the edge inwards."""
    if len(lines) < _SHORT_PAGE:
        return [], []
    order = sorted(lines, key=lambda line: line.y)
    return order[:-4:-1], order[:3]


def _keys(line: Line, page: int) -> Iterator[_Key]:
    """What to count a line by: its words, and for each number in it how far it runs ahead of the page."""
    text = line.text.strip()
    if not 0 < len(text) <= 200:
        return
    height = round(line.y)
    yield text, None, height
    for match in list(_DIGITS.finditer(text))[:4]:
        rest = text[: match.start()] + "#" + text[match.end() :]
        if len(match[0]) <= 5 and _PAGE_NUMBER.search(rest):
            yield rest, int(match[0]) - page, height

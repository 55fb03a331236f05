"""What the styles and lists of a Word document mean: heading levels, hidden text, list labels.

Reads `styles.xml` and `numbering.xml` (ECMA-376 part 1, 17.7 and 17.9); renders nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ragcli.formats.xml import Attributes

_HEADING_NAME = re.compile(r"(?:heading|berschrift|titre|t.tulo|titolo|kop|rubrik)\s*([1-9])")
_OFF = frozenset({"0", "false", "off", "none"})
_LEVELS = 9
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def is_on(attributes: Attributes) -> bool:
    """Whether a toggle property is on: it is by being there, unless its value says no."""
    return attributes.get("w:val", "true").lower() not in _OFF


def number(attributes: Attributes, name: str = "w:val") -> int | None:
    """An integer attribute, or None where it is missing, absurd or not one."""
    value = attributes.get(name, "")
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else None


@dataclass(slots=True)
class Style:
    """One style as written; `None` is what it leaves to the style it is based on."""

    name: str = ""
    based_on: str | None = None
    level: int | None = None
    hidden: bool | None = None
    list_id: str | None = None
    list_level: int | None = None


@dataclass(slots=True)
class Styles:
    """A handler for `styles.xml`, and what it knows of a style by id."""

    by_id: dict[str, Style] = field(default_factory=dict)
    _open: Style | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "w:style":
            self._open = self.by_id.setdefault(attributes.get("w:styleId", ""), Style())
        elif self._open is None:
            return
        elif name == "w:name":
            self._open.name = attributes.get("w:val", "").casefold()
        elif name == "w:basedOn":
            self._open.based_on = attributes.get("w:val")
        elif name == "w:outlineLvl":
            self._open.level = number(attributes)
        elif name == "w:vanish":
            self._open.hidden = is_on(attributes)
        elif name == "w:numId":
            self._open.list_id = attributes.get("w:val")
        elif name == "w:ilvl":
            self._open.list_level = number(attributes)

    def end(self, name: str) -> None:
        if name == "w:style":
            self._open = None

    def text(self, data: str) -> None: ...

    def _chain(self, style_id: str | None) -> list[Style]:
        """The style and those it is based on, nearest first."""
        chain: list[Style] = []
        while style_id is not None and len(chain) < 20:
            style = self.by_id.get(style_id)
            if style is None:
                break
            chain.append(style)
            style_id = style.based_on
        return chain

    def heading_level(self, style_id: str | None, own: int | None = None) -> int | None:
        """The level of a heading from 1, by the paragraph's own outline level, else its style's."""
        if own is not None:
            return own + 1 if 0 <= own < _LEVELS else None
        for style in self._chain(style_id):
            if style.level is not None:
                return style.level + 1 if 0 <= style.level < _LEVELS else None
            if style.name == "title":
                return 1
            if found := _HEADING_NAME.search(style.name):
                return int(found[1])
        unknown = style_id is not None and style_id not in self.by_id
        found = _HEADING_NAME.search(style_id.casefold()) if unknown and style_id else None
        return int(found[1]) if found else None

    def is_title(self, style_id: str | None) -> bool:
        """Whether a paragraph of this style is the title of the document."""
        return any(style.name == "title" for style in self._chain(style_id)[:1])

    def is_hidden(self, style_id: str | None) -> bool:
        """Whether text of this style is not shown."""
        return next((s.hidden for s in self._chain(style_id) if s.hidden is not None), False)

    def list_of(self, style_id: str | None) -> tuple[str | None, int | None]:
        """The list id and list level that a style puts its paragraphs in."""
        chain = self._chain(style_id)
        list_id = next((style.list_id for style in chain if style.list_id is not None), None)
        level = next((style.list_level for style in chain if style.list_level is not None), None)
        return list_id, level


@dataclass(slots=True)
class Level:
    """A level of a list: where it starts and how its label is written, `%1` being the first level."""

    start: int = 1
    format: str = "decimal"
    label: str = ""
    style: str | None = None


@dataclass(slots=True)
class Lists:
    """A handler for `numbering.xml`, and the running count of every list."""

    abstract: dict[str, dict[int, Level]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    restarts: dict[str, dict[int, int]] = field(default_factory=dict)
    _counts: dict[str, list[int | None]] = field(default_factory=dict)
    _in_abstract: str | None = None
    _in_list: str | None = None
    _level: int = 0

    def start(self, name: str, attributes: Attributes) -> None:
        value = attributes.get("w:val", "")
        if name == "w:abstractNum":
            self._in_abstract = attributes.get("w:abstractNumId", "")
            self.abstract.setdefault(self._in_abstract, {})
        elif name == "w:num":
            self._in_list = attributes.get("w:numId", "")
        elif name == "w:abstractNumId" and self._in_list is not None:
            self.of[self._in_list] = value
        elif name in ("w:lvl", "w:lvlOverride"):
            self._level = number(attributes, "w:ilvl") or 0
        elif name == "w:startOverride" and self._in_list is not None:
            self.restarts.setdefault(self._in_list, {})[self._level] = number(attributes) or 0
        elif self._in_abstract is not None:
            self._describe(name, value, attributes)

    def _describe(self, name: str, value: str, attributes: Attributes) -> None:
        if name not in ("w:start", "w:numFmt", "w:lvlText", "w:pStyle"):
            return
        level = self.abstract[self._in_abstract or ""].setdefault(self._level, Level())
        if name == "w:start":
            level.start = number(attributes) or 0
        elif name == "w:numFmt":
            level.format = value
        elif name == "w:lvlText":
            level.label = value[:40]
        else:
            level.style = value

    def end(self, name: str) -> None:
        if name == "w:abstractNum":
            self._in_abstract = None
        elif name == "w:num":
            self._in_list = None

    def text(self, data: str) -> None: ...

    def level_of_style(self, list_id: str, style_id: str | None) -> int:
        """The level of a list that is tied to a paragraph style, else the first."""
        levels = self.abstract.get(self.of.get(list_id, ""), {})
        return next((at for at, level in levels.items() if level.style == style_id), 0)

    def label(self, list_id: str, at: int) -> str:
        """Count one item of a list and return what stands before it, such as `2.1.` or `•`."""
        abstract_id = self.of.get(list_id)
        if abstract_id is None or not 0 <= at < _LEVELS:
            return ""
        levels = self.abstract.get(abstract_id, {})
        counts = self._counts.setdefault(abstract_id, [None] * _LEVELS)
        restart = self.restarts.get(list_id, {}).pop(at, None)
        before = counts[at]
        if restart is not None:
            counts[at] = restart
        else:
            counts[at] = levels.get(at, Level()).start if before is None else before + 1
        counts[at + 1 :] = [None] * (_LEVELS - at - 1)
        return _render(levels, counts, at)


def _render(levels: dict[int, Level], counts: list[int | None], at: int) -> str:
    level = levels.get(at)
    if level is None or level.format == "none":
        return ""
    if level.format == "bullet":
        return "•"

    def count_of(match: re.Match[str]) -> str:
        index = int(match[1]) - 1
        part = levels.get(index, Level())
        count = counts[index] if index < _LEVELS else None
        return _count(part.start if count is None else count, part.format)

    return re.sub(r"%([1-9])", count_of, level.label)


def _count(value: int, style: str) -> str:
    if style in ("lowerLetter", "upperLetter") and 0 < value <= 780:
        letters = chr(97 + (value - 1) % 26) * (1 + (value - 1) // 26)
        return letters if style == "lowerLetter" else letters.upper()
    if style in ("lowerRoman", "upperRoman") and 0 < value < 4000:
        return _roman(value) if style == "lowerRoman" else _roman(value).upper()
    return f"{value:02d}" if style == "decimalZero" else str(value)


def _roman(value: int) -> str:
    digits = []
    for worth, letters in _ROMAN:
        times, value = divmod(value, worth)
        digits.append(letters * times)
    return "".join(digits)

"""RTF: the text of a Rich Text file with headings, list labels, notes and table rows.

A tokenizer and a stack of groups, after the RTF 1.9.1 specification. Pages are counted from page
breaks alone, so they are marked "about".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ragcli.errors import ParseError
from ragcli.formats.encoding import clean
from ragcli.formats.limits import Limits, fit
from ragcli.formats.rtfstory import RtfStory, Style, tidy
from ragcli.formats.rtftokens import (
    DROPPED,
    KEPT_WHEN_STARRED,
    WORDS,
    Characters,
    Token,
    code_page,
    tokens,
)
from ragcli.formats.titles import usable
from ragcli.types import Block, Parsed, Scalar

VERSION = 1
_DEEPEST = 2000


@dataclass(frozen=True, slots=True)
class _Group:
    """What a closing brace puts back."""

    into: str = "body"
    hidden: bool = False
    font: int | None = None
    unicode_skip: int = 1


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a Rich Text file. Raises ParseError where it holds no text or is no RTF."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise ParseError("It is not a Rich Text file.")
    reader = _Reader()
    blocks, warnings = fit(reader.read(data), limits)
    if not blocks:
        raise ParseError("It holds no text.")
    if not reader.story.paged:
        blocks = [replace(block, page=None) for block in blocks]
    title = usable(clean(reader.info.get("title", ""))) or reader.story.out.title
    author = clean(reader.info.get("author", "")).strip()[:200]
    metadata: dict[str, Scalar] = {"author": author} if author else {}
    yield Parsed(blocks, title, None, metadata, "about", "line", warnings)


class _Reader:
    """Reads one file; `info` is known once `read` has been exhausted."""

    def __init__(self) -> None:
        self.story = RtfStory()
        self.info: dict[str, str] = {}
        self._group = _Group()
        self._stack: list[_Group] = []
        self._starred = False
        self._characters = Characters()
        self._styles: dict[int, Style] = {}
        self._style = 0
        self._pending = bytearray()
        self._skip = 0
        self._note: list[str] = []

    def read(self, data: bytes) -> Iterator[Block]:
        """The blocks of the file in order."""
        for token in tokens(data):
            if token.kind == "text":
                self._bytes(token.data)
                continue
            self._flush()
            if token.kind == "{":
                self._open()
            elif token.kind == "}":
                self._close()
            else:
                self._control(token)
            yield from self.story.out.drain()
        self._flush()
        self.story.end_paragraph()
        self.story.out.close_table()
        yield from self.story.out.drain()

    def _open(self) -> None:
        if len(self._stack) >= _DEEPEST:
            raise ParseError("Its groups are nested too deeply.")
        self._stack.append(self._group)
        self._starred = False
        self._skip = 0

    def _close(self) -> None:
        closed = self._group
        if self._stack:
            self._group = self._stack.pop()
        self._skip = 0
        if closed.into == "footnote" != self._group.into:
            self.story.out.note(tidy("".join(self._note)))
            self._note = []

    def _bytes(self, data: bytes) -> None:
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        if self._group.into != "drop":
            self._pending += data

    def _flush(self) -> None:
        """Decode the bytes collected so far; a character may have come in several tokens."""
        if self._pending:
            data, self._pending = bytes(self._pending), bytearray()
            self._add(self._characters.decode(data, self._group.font))

    def _add(self, text: str) -> None:
        if self._group.hidden or not text:
            return
        into = self._group.into
        if into == "stylesheet":
            self._styles.setdefault(self._style, Style()).name(text)
        elif into in ("title", "author"):
            self.info[into] = (self.info.get(into, "") + text)[:1000]
        elif into == "footnote":
            self._note.append(text)
        elif into == "body":
            self.story.add(text)

    def _control(self, token: Token) -> None:
        if token.kind == "symbol":
            self._symbol(token.word)
            return
        word, number = token.word, token.number
        if self._starred:
            self._starred = False
            if word not in KEPT_WHEN_STARRED:
                self._into("drop")
        if word in DROPPED:
            self._into("drop")
        elif self._group.into == "drop":
            return
        elif word in WORDS:
            self._add(WORDS[word])
        elif handler := _WORDS.get(word):
            handler(self, number)

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = True
        elif symbol in "\\{}":
            self._add(symbol)
        elif symbol in "~\t":
            self._add(" ")
        elif symbol == "_":
            self._add("-")
        elif symbol in "\r\n":
            self._end_line(None)

    def _into(self, destination: str) -> None:
        self._group = replace(self._group, into=destination)

    def _unicode(self, number: int | None) -> None:
        self._add(self._characters.unicode(number or 0))
        self._skip = self._group.unicode_skip

    def _charset(self, number: int | None) -> None:
        if self._group.into == "fonttbl":
            self._characters.charset(number or 0)

    def _font(self, number: int | None) -> None:
        if self._group.into == "fonttbl":
            self._characters.font = number
        else:
            self._group = replace(self._group, font=number)

    def _paragraph_style(self, number: int | None) -> None:
        if self._group.into == "stylesheet":
            self._style = number or 0
        elif self._group.into == "body":
            self.story.style(self._styles.get(number or 0, Style()))

    def _level(self, number: int | None) -> None:
        level = number + 1 if number is not None and 0 <= number < 9 else None
        if self._group.into == "stylesheet":
            self._styles.setdefault(self._style, Style()).level = level
        elif self._group.into == "body":
            self.story.level(level)

    def _end_line(self, _: int | None) -> None:
        if self._group.into == "body":
            self.story.end_line()
        else:
            self._add("\n")

    def _page_count(self, number: int | None) -> None:
        self.story.paged = self.story.paged or number == 1

    def _hide(self, number: int | None) -> None:
        self._group = replace(self._group, hidden=number != 0)

    def _plain(self, _: int | None) -> None:
        self._group = replace(self._group, hidden=False, font=None)

    def _skip_after_unicode(self, number: int | None) -> None:
        self._group = replace(self._group, unicode_skip=min(max(number or 0, 0), 8))

    def _code_page(self, number: int | None) -> None:
        self._characters.codec = code_page(number or 1252)

    def _mac(self, _: int | None) -> None:
        self._characters.codec = "mac_roman"

    def _set_default_font(self, number: int | None) -> None:
        self._characters.default = number

    def _nested_cell(self, _: int | None) -> None:
        self._add(" | ")


_Handler = Callable[[_Reader, int | None], None]


def _destination(name: str) -> _Handler:
    def enter(reader: _Reader, _: int | None) -> None:
        reader._into(name)

    return enter


def _body(act: Callable[[RtfStory], None]) -> _Handler:
    """A word that only means something in the body, not in notes or tables of styles."""

    def handle(reader: _Reader, _: int | None) -> None:
        if reader._group.into == "body":
            act(reader.story)

    return handle


_WORDS: dict[str, _Handler] = {
    "par": _Reader._end_line,
    "sect": _body(RtfStory.break_section),
    "sbknone": _body(RtfStory.continue_page),
    "page": _body(RtfStory.break_page),
    "pagebb": _body(RtfStory.break_page),
    "cell": _body(RtfStory.end_cell),
    "row": _body(RtfStory.end_row),
    "intbl": _body(RtfStory.enter_table),
    "pard": _body(RtfStory.plain),
    "pntext": _body(RtfStory.label),
    "listtext": _body(RtfStory.label),
    "nestcell": _Reader._nested_cell,
    "nofpages": _Reader._page_count,
    "s": _Reader._paragraph_style,
    "outlinelevel": _Reader._level,
    "v": _Reader._hide,
    "deleted": _Reader._hide,
    "plain": _Reader._plain,
    "u": _Reader._unicode,
    "uc": _Reader._skip_after_unicode,
    "ansicpg": _Reader._code_page,
    "mac": _Reader._mac,
    "deff": _Reader._set_default_font,
    "f": _Reader._font,
    "fcharset": _Reader._charset,
    "annotation": _destination("footnote"),
    **{
        name: _destination(name)
        for name in ("fonttbl", "stylesheet", "info", "title", "author", "footnote")
    },
}

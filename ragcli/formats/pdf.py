"""PDF: the text of each page by PDFium, as paragraphs with page, page label and outline path.

Reads text only: no images, no form fields, no attachments. Headings come from the document's own
outline, never from how a line looks.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ragcli.errors import ParseError
from ragcli.formats import layout
from ragcli.formats.encoding import clean
from ragcli.formats.layout import Line
from ragcli.formats.limits import Limits, fit
from ragcli.formats.outline import Outline
from ragcli.formats.titles import usable
from ragcli.types import Block, BlockKind, Parsed, Scalar

if TYPE_CHECKING:
    from pypdfium2 import PdfBookmark, PdfDocument, PdfTextPage

VERSION = 1
_FEWEST = 10
_PASSWORD = 4
_MOST_ENTRIES = 20_000
_MOST_ON_A_PAGE = 100
_TOP_OF_VIEW = {1: 1, 3: 0, 5: 3, 7: 0}
"""Destination type (XYZ, FitH, FitR, FitBH) -> which of its numbers is the upper edge."""
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the outline: its depth from 1, and the height on the page that it points at."""

    level: int
    title: str
    top: float


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a PDF as one document; `page` is the index + 1.

    Raises ParseError for an encrypted or unreadable file, and where no page holds any text.
    """
    pdf = _open(data)
    try:
        yield _document(pdf, limits)
    finally:
        pdf.close()


def _open(data: bytes) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return PdfDocument(data)
    except PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD:
            raise ParseError("It is encrypted with a password.") from error
        raise ParseError("It is not a readable PDF.") from error


def _document(pdf: PdfDocument, limits: Limits) -> Parsed:
    pages, warnings = _pages(pdf, limits)
    bare = [number for number, lines in enumerate(pages, 1) if _letters(lines) < _FEWEST]
    if len(bare) == len(pages):
        raise ParseError("It has no text, needs OCR." if pages else "It has no pages.")
    if bare:
        warnings.append(f"No text, needs OCR: {_page_list(bare)}.")
    layout.drop_running(pages)
    compounds = layout.compounds_of(line.text for lines in pages for line in lines)
    blocks, cut = fit(_blocks(pdf, pages, compounds), limits)
    title = usable(clean(pdf.get_metadata_value("Title")))
    return Parsed(blocks, title, None, _metadata(pdf), "page", "line", warnings + cut)


def _letters(lines: Sequence[Line]) -> int:
    return sum(len(line.text) - line.text.count(" ") for line in lines)


def _page_list(pages: list[int]) -> str:
    """`pages 2, 5-7`, at most ten ranges of it."""
    ranges: list[list[int]] = []
    for page in pages:
        if ranges and page == ranges[-1][1] + 1:
            ranges[-1][1] = page
        else:
            ranges.append([page, page])
    shown = ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in ranges[:10])
    return f"page{'s' if len(pages) > 1 else ''} {shown}{', ...' if len(ranges) > 10 else ''}"


def _metadata(pdf: PdfDocument) -> dict[str, Scalar]:
    author = clean(pdf.get_metadata_value("Author")).strip()[:200]
    written = pdf.get_metadata_value("ModDate") or pdf.get_metadata_value("CreationDate")
    found: dict[str, Scalar] = {"author": author} if author else {}
    if date := _DATE.match(written):
        found["date"] = "-".join(part for part in date.groups() if part)
    return found


def _pages(pdf: PdfDocument, limits: Limits) -> tuple[list[list[Line]], list[str]]:
    """The lines of every page, and warnings; stops reading where the text passes the limit."""
    from pypdfium2 import PdfiumError

    pages: list[list[Line]] = []
    unreadable: list[int] = []
    room = limits.text_bytes
    for index in range(len(pdf)):
        try:
            lines = _page_lines(pdf, index)
        except PdfiumError:
            lines = []
            unreadable.append(index + 1)
        pages.append(lines)
        room -= sum(len(line.text) for line in lines)
        if room < 0:
            break
    return pages, [f"Could not be read: {_page_list(unreadable)}."] if unreadable else []


def _page_lines(pdf: PdfDocument, index: int) -> list[Line]:
    page = pdf[index]
    try:
        text_page = page.get_textpage()
        try:
            return list(_lines(text_page))
        finally:
            text_page.close()
    finally:
        page.close()


def _lines(page: PdfTextPage) -> Iterator[Line]:
    offset = 0
    for raw in page.get_text_range().split("\r\n"):
        visible = raw.strip("\u00a0 \t")
        text = clean(layout.normalise(visible)).strip()
        if text:
            first = offset + raw.index(visible)
            yield _placed(page, text, offset, first, first + _units(visible) - 1)
        offset += _units(raw) + 2


def _units(text: str) -> int:
    """The length of a text as PDFium counts it, in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _placed(page: PdfTextPage, text: str, start: int, first: int, last: int) -> Line:
    """Ask where a line stands. Lines printed sideways are turned, so that they read down too."""
    x, y, size = _glyph(page, first)
    x_end, y_end, size_end = _glyph(page, last)
    hanging = first > start and _glyph(page, start)[0] < x - size / 2
    if abs(y_end - y) > 2 * abs(x_end - x) and layout.BREAK not in text and len(text) > 3:
        x, y, x_end, y_end = (y, -x, y_end, -x_end) if y_end > y else (-y, x, -y_end, x_end)
    if layout.BREAK not in text:
        # A raised note mark at either end is smaller than the line it belongs to.
        y = y_end = y if size >= size_end else y_end
    size = max(size, size_end)
    return Line(text, x, x_end + size / 2, y, y_end, size, hanging)


def _glyph(page: PdfTextPage, at: int) -> tuple[float, float, float]:
    """Origin and type size of the character at an index of the page's text."""
    from pypdfium2 import raw

    index = raw.FPDFText_GetCharIndexFromTextIndex(page, at)
    x, y, matrix = ctypes.c_double(), ctypes.c_double(), raw.FS_MATRIX()
    raw.FPDFText_GetCharOrigin(page, index, x, y)
    raw.FPDFText_GetMatrix(page, index, matrix)
    size = raw.FPDFText_GetFontSize(page, index) * math.hypot(matrix.c, matrix.d)
    return x.value, y.value, size or 1.0


def _blocks(
    pdf: PdfDocument, pages: Sequence[list[Line]], compounds: frozenset[str]
) -> Iterator[Block]:
    entries = _outline(pdf)
    outline = Outline()
    for index, lines in enumerate(pages):
        number = str(index + 1)
        label = clean(pdf.get_page_label(index)).strip() or number
        found = _starts(lines, entries.get(index, []))
        at = 0
        for group in layout.paragraphs(lines, frozenset(found)):
            entered = _enter(outline, found, at, at + len(group))
            at += len(group)
            text = layout.join(group, compounds)
            kind = _kind(text, outline.path, entered)
            shown = label if label != number else None
            yield Block(text, kind, outline.path, index + 1, shown)
        _enter(outline, found, at, at + 1)


def _enter(outline: Outline, found: dict[int, list[_Entry]], start: int, end: int) -> bool:
    """Open the headings that begin at these lines; whether there were any."""
    entries = [entry for index in range(start, end) for entry in found.get(index, ())]
    for entry in entries:
        outline.enter(entry.level, entry.title)
    return bool(entries)


def _kind(text: str, path: tuple[str, ...], entered: bool) -> BlockKind:
    if entered and _same_title(text, path[-1]):
        return "heading"
    return "item" if layout.is_item(text) else "paragraph"


def _same_title(text: str, title: str) -> bool:
    """Whether a printed line is a heading's, though numbering or a line end may be missing from it."""
    printed, wanted = _words(text[:400]), _words(title)
    if not printed or 2 * len(printed) < len(wanted):
        return False
    return printed.endswith(wanted) or wanted.startswith(printed) or wanted.endswith(printed)


def _words(text: str) -> str:
    return _NOT_WORD.sub("", text).casefold()


def _starts(lines: Sequence[Line], entries: list[_Entry]) -> dict[int, list[_Entry]]:
    """The line at which each heading of a page begins: by its words under where it points."""
    found: dict[int, list[_Entry]] = {}
    last = 0
    for entry in entries[:_MOST_ON_A_PAGE]:
        below = [at for at in range(last, len(lines)) if lines[at].y <= entry.top]
        by_words = (at for at in below if _same_title(lines[at].text, entry.title))
        last = next(by_words, below[0] if below else len(lines))
        found.setdefault(last, []).append(entry)
    return found


def _outline(pdf: PdfDocument) -> dict[int, list[_Entry]]:
    """The outline by page index; an entry that points nowhere stands with the next that does."""
    found: dict[int, list[_Entry]] = {}
    waiting: list[_Entry] = []
    for bookmark in islice(pdf.get_toc(), _MOST_ENTRIES):
        title = clean(layout.normalise(bookmark.get_title())).strip()
        page, top = _target(bookmark)
        if title:
            waiting.append(_Entry(bookmark.level + 1, title, top))
        if page is not None and waiting:
            found.setdefault(page, []).extend(waiting)
            waiting = []
    return found


def _target(bookmark: PdfBookmark) -> tuple[int | None, float]:
    """Page index and height that a bookmark points at; the top of the page where none is given."""
    destination = bookmark.get_dest()
    if destination is None:
        return None, math.inf
    mode, position = destination.get_view()
    at = _TOP_OF_VIEW.get(mode)
    top = position[at] if at is not None and at < len(position) else 0.0
    return destination.get_index(), top or math.inf

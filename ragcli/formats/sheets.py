"""XLSX, XLSB, XLS and ODS: the rows of every sheet under the sheet's name, and cell comments.

`lines` are row numbers as the spreadsheet shows them. Values are those last computed: no formulas,
no number formats, no charts.
"""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.errors import ParseError
from ragcli.formats import opc, xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.encoding import clean
from ragcli.formats.grid import Rows
from ragcli.formats.limits import Limits, fit
from ragcli.formats.xml import Attributes
from ragcli.types import Block, Parsed

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

VERSION = 1
_WORKBOOK = "xl/workbook.xml"
_MOST_CELLS = 20_000_000
_USED = re.compile(rb"<(?:\w{1,9}:)?c\s([^<>]{1,300})>\s{0,9}<(?:\w{1,9}:)?(?:v|is|f)\b")
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ROW_OF = re.compile(r"[A-Z$]{1,5}([0-9]{1,7})")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a spreadsheet. Raises ParseError where it is encrypted, unreadable or without values."""
    package = _Package(data, limits) if data.startswith(b"PK") else None
    workbook = _open(data)
    warnings: list[str] = []
    blocks, cut = fit(_blocks(workbook, package, warnings), limits)
    if not blocks:
        raise ParseError(warnings[0] if warnings else "Its sheets hold no values.")
    properties = package.properties if package else opc.Properties()
    yield Parsed(
        blocks, properties.title(), None, properties.metadata(), None, "row", warnings + cut
    )


def _open(data: bytes) -> CalamineWorkbook:
    from python_calamine import PasswordError, load_workbook

    if data.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in data:
        raise ParseError("It is encrypted.")
    try:
        with _damage("It is not a readable spreadsheet."):
            return load_workbook(io.BytesIO(data))
    except PasswordError as error:
        raise ParseError("It is encrypted.") from error


@contextmanager
def _damage(reason: str) -> Iterator[None]:
    """Call what the engine cannot read damaged, be it an error of its own or a panic."""
    from python_calamine import CalamineError, PasswordError

    try:
        yield
    except PasswordError:
        raise
    except (CalamineError, OSError, ValueError) as error:
        raise Damaged(reason) from error
    except BaseException as error:
        # A Rust panic arrives as a BaseException whose class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise Damaged(reason) from error


def _blocks(
    workbook: CalamineWorkbook, package: _Package | None, warnings: list[str]
) -> Iterator[Block]:
    from python_calamine import SheetTypeEnum

    for sheet in workbook.sheets_metadata:
        if sheet.typ in (SheetTypeEnum.ChartSheet, SheetTypeEnum.Vba):
            continue
        path = (clean(sheet.name)[:200],)
        if package and package.cells(sheet.name) > _MOST_CELLS:
            warnings.append(f"Sheet {path[0]} spans too many cells and was left out.")
            continue
        try:
            with _damage(f"Sheet {path[0]} could not be read."):
                values = workbook.get_sheet_by_name(sheet.name)
            yield from _rows(values, path)
        except Damaged as error:
            warnings.append(error.message)
        if package:
            yield from package.comments(sheet.name, path)


def _rows(sheet: CalamineSheet, path: tuple[str, ...]) -> Iterator[Block]:
    rows = Rows()
    for number, values in enumerate(sheet.iter_rows(), 1):
        cells = [_shown(value) for value in values]
        if any(cells):
            yield from rows.add(cells, Block("", "row", path, lines=(number, number)))
    yield from rows.close()


def _shown(value: object) -> str:
    """A value as a person would type it: whole numbers without a point, dates in ISO 8601."""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        day = value.time() == datetime.time.min
        return value.date().isoformat() if day else value.isoformat(" ", "seconds")
    return str(value)


class _Package:
    """The zip container around a spreadsheet: how far its sheets reach, comments, properties."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Unpacks every part once, under the caps, since what reads the cells knows none."""
        self._archive = Archive(data, limits)
        self._cells: dict[str, int] = {}
        for part in self._archive.names():
            if part.endswith((".xml", ".bin", ".rels")):
                with suppress(Damaged):
                    self._cells[part] = _reach(self._archive, part)
        self._parts = _sheet_parts(self._archive)
        self.properties = opc.properties(self._archive)
        if "meta.xml" in self._archive:
            with suppress(Damaged):
                xml.parse(self._archive.stream("meta.xml"), self.properties)

    def cells(self, sheet: str) -> int:
        """How many cells lie between the first and the last that a sheet uses."""
        return self._cells.get(self._parts.get(sheet, "content.xml"), 0)

    def comments(self, sheet: str, path: tuple[str, ...]) -> Iterator[Block]:
        """The comments on the cells of a sheet, each with its row."""
        found = opc.relationships(self._archive, self._parts.get(sheet, ""))
        comments = _Comments()
        # Where a thread is there, the plain comment on the same cell only stands in for it.
        for kind in ("threadedComment", "comments"):
            comments.taken = {cell for cell, _ in comments.found}
            for part in found:
                if part.kind == kind and part.target in self._archive:
                    xml.parse(self._archive.stream(part.target), comments)
        for cell, text in comments.found:
            row = _ROW_OF.fullmatch(cell)
            lines = (int(row[1]), int(row[1])) if row else None
            shown = f"{cell}: {clean(text).strip()}"
            yield Block(shown, "paragraph", (*path, "Comments"), lines=lines)


def _reach(archive: Archive, part: str) -> int:
    """Unpack a part and return the area that its values span: a far-off one costs all between."""
    rows, columns = {1}, {1}
    tail = b""
    for piece in archive.stream(part):
        window = tail + piece
        for attributes in _USED.findall(window):
            if place := _PLACE.search(attributes):
                columns.add(_column(place[1]))
                rows.add(int(place[2]))
        rows, columns = {min(rows), max(rows)}, {min(columns), max(columns)}
        tail = window[-400:]
    return (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


@dataclass(slots=True)
class _Sheets:
    """A handler for the workbook part: relationship id by sheet name."""

    ids: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "x:sheet":
            self.ids[attributes.get("name", "")] = attributes.get("r:id", "")

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def _sheet_parts(archive: Archive) -> dict[str, str]:
    """The part of each sheet of an XLSX workbook, by sheet name."""
    part = next(opc.targets(archive, "", "officeDocument"), _WORKBOOK)
    if part not in archive or not part.endswith(".xml"):
        return {}
    sheets = _Sheets()
    xml.parse(archive.stream(part), sheets)
    targets = {found.id: found.target for found in opc.relationships(archive, part)}
    return {name: targets[id_] for name, id_ in sheets.ids.items() if id_ in targets}


class _Comments:
    """A handler for both generations of cell comments; cells in `taken` are left out."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.taken: set[str] = set()
        self._cell = ""
        self._parts: list[str] = []
        self._reading = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name in ("x:comment", "tc:threadedComment"):
            self._cell, self._parts = attributes.get("ref", ""), []
        elif name in ("x:t", "tc:text"):
            self._reading = True

    def end(self, name: str) -> None:
        if name in ("x:t", "tc:text"):
            self._reading = False
        elif name in ("x:comment", "tc:threadedComment"):
            text = "".join(self._parts)
            if text.strip() and self._cell not in self.taken:
                self.found.append((self._cell, text))

    def text(self, data: str) -> None:
        if self._reading:
            self._parts.append(data)

"""Slides and spreadsheets, made part by part and real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_files import A, P, R, X, relationships, zipped

from ragcli.errors import ParseError
from ragcli.formats import pptx, sheets
from ragcli.formats.limits import Limits
from ragcli.types import Block, Parsed

ROOT = relationships(("r", "officeDocument", "ppt/presentation.xml"))
BOOK = relationships(("r", "officeDocument", "xl/workbook.xml"))


@pytest.fixture
def mixed() -> Path:
    folder = os.environ.get("RAGCLI_TEST_DATA")
    if not folder:
        pytest.skip("RAGCLI_TEST_DATA is unset: no folder of evaluation data")
    return Path(folder) / "mixed"


def shape(text: str, placeholder: str | None = None) -> str:
    kind = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    paragraphs = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return f"<p:sp><p:nvSpPr>{kind}</p:nvSpPr><p:txBody>{paragraphs}</p:txBody></p:sp>"


def slide(*shapes: str, root: str = "sld") -> str:
    return f'<p:{root} xmlns:p="{P}" xmlns:a="{A}">{"".join(shapes)}</p:{root}>'


def deck(order: list[str], parts: dict[str, str]) -> bytes:
    ids = "".join(f'<p:sldId r:id="{id_}"/>' for id_ in order)
    members = {
        "_rels/.rels": ROOT,
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{R}">{ids}</p:presentation>',
        "ppt/_rels/presentation.xml.rels": relationships(
            ("a", "slide", "slides/slide1.xml"),
            ("b", "slide", "slides/slide2.xml"),
            ("c", "commentAuthors", "commentAuthors.xml"),
        ),
    }
    return zipped(members | parts)


def read_deck(data: bytes) -> Parsed:
    (document,) = pptx.read(data, "a.pptx", Limits())
    return document


def test_slides_are_numbered_in_the_order_shown() -> None:
    data = deck(
        ["b", "a"],
        {
            "ppt/slides/slide1.xml": slide(
                shape("Body first\nthen more", "body"), shape("Aims", "title")
            ),
            "ppt/slides/slide2.xml": slide(shape("Opening", "ctrTitle"), shape("7", "sldNum")),
        },
    )
    document = read_deck(data)
    assert document.blocks == [
        Block("Opening", "heading", ("Opening",), 1),
        Block("Aims", "heading", ("Aims",), 2),
        Block("Body first", "item", ("Aims",), 2),
        Block("then more", "item", ("Aims",), 2),
    ]
    assert (document.title, document.page_unit) == ("Opening", "slide")


def test_notes_comments_and_tables_stand_with_their_slide() -> None:
    cells = ["Name", "Age", "Bo", "7"]
    tc = [
        f"<a:tc><a:txBody><a:p><a:r><a:t>{cell}</a:t></a:r></a:p></a:txBody></a:tc>"
        for cell in cells
    ]
    rows = f"<a:tr>{tc[0]}{tc[1]}</a:tr><a:tr>{tc[2]}{tc[3]}</a:tr>"
    table = f"<p:graphicFrame><a:tbl>{rows}</a:tbl></p:graphicFrame>"
    comment = (
        f'<p:cmLst xmlns:p="{P}"><p:cm authorId="3"><p:text>Shorter!</p:text></p:cm></p:cmLst>'
    )
    data = deck(
        ["a"],
        {
            "ppt/slides/slide1.xml": slide(shape("Ages", "title"), table),
            "ppt/slides/_rels/slide1.xml.rels": relationships(
                ("n", "notesSlide", "../notesSlides/n1.xml"),
                ("c", "comments", "../comments/c1.xml"),
            ),
            "ppt/notesSlides/n1.xml": slide(
                shape("Say it slowly.", "body"), shape("1", "sldNum"), root="notes"
            ),
            "ppt/comments/c1.xml": comment,
            "ppt/commentAuthors.xml": f'<p:l xmlns:p="{P}"><p:cmAuthor id="3" name="Ann"/></p:l>',
        },
    )
    assert read_deck(data).blocks[1:] == [
        Block("Bo | 7", "row", ("Ages",), 1, header="Name | Age"),
        Block("Say it slowly.", "item", ("Ages", "Notes"), 1),
        Block("Ann: Shorter!", "paragraph", ("Ages", "Comments"), 1),
    ]


def test_a_missing_slide_is_said_and_an_empty_deck_fails() -> None:
    document = read_deck(deck(["a", "zz"], {"ppt/slides/slide1.xml": slide(shape("Hello there"))}))
    assert document.warnings == ["Slide 2 is missing."]
    with pytest.raises(ParseError, match="no text"):
        read_deck(deck(["a"], {"ppt/slides/slide1.xml": slide()}))


def test_real_slides(mixed: Path) -> None:
    document = read_deck((mixed / "testPPT.pptx").read_bytes())
    assert {block.page for block in document.blocks} == {1, 2, 3}
    comment = read_deck((mixed / "testPPT_comment.pptx").read_bytes()).blocks[-1]
    assert comment.text.startswith("Allison, Timothy B.: I'm afraid")


def book(sheet: str, name: str = "Ages", parts: dict[str, str] | None = None) -> bytes:
    members = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": BOOK,
        "xl/workbook.xml": f'<workbook xmlns="{X}" xmlns:r="{R}"><sheets>'
        f'<sheet name="{name}" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relationships(("s", "worksheet", "worksheets/sheet1.xml")),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{X}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    return zipped(members | (parts or {}))


def cell(place: str, value: str | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def read_book(data: bytes, limits: Limits | None = None) -> Parsed:
    (document,) = sheets.read(data, "a.xlsx", limits or Limits())
    return document


def test_rows_keep_their_numbers_and_stand_under_the_column_names() -> None:
    data = book(
        f'<row r="2">{cell("B2", "List of people")}</row>'
        f'<row r="4">{cell("B4", "Name")}{cell("C4", "Age")}</row>'
        f'<row r="5">{cell("B5", "Bo")}{cell("C5", 7.0)}</row>'
        f'<row r="9">{cell("B9", "Li")}{cell("C9", 8.25)}</row>'
    )
    document = read_book(data)
    assert document.blocks == [
        Block("List of people", "row", ("Ages",), lines=(2, 2)),
        Block("Bo | 7", "row", ("Ages",), lines=(5, 5), header="Name | Age"),
        Block("Li | 8.25", "row", ("Ages",), lines=(9, 9), header="Name | Age"),
    ]
    assert document.line_unit == "row"


def test_cell_comments_stand_on_their_row_and_threads_replace_stand_ins() -> None:
    thread = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    parts = {
        "xl/worksheets/_rels/sheet1.xml.rels": relationships(
            ("c", "comments", "../comments1.xml"), ("t", "threadedComment", "../threads/t1.xml")
        ),
        "xl/comments1.xml": f'<comments xmlns="{X}"><comment ref="A1"><text><t>Stand-in</t></text></comment>'
        '<comment ref="B3"><text><r><t>Old </t></r><r><t>style</t></r></text></comment></comments>',
        "xl/threads/t1.xml": f'<ThreadedComments xmlns="{thread}"><threadedComment ref="A1">'
        "<text>Is this right?</text></threadedComment></ThreadedComments>",
    }
    blocks = read_book(book(f'<row r="1">{cell("A1", "x")}</row>', parts=parts)).blocks
    assert [(block.text, block.lines) for block in blocks[1:]] == [
        ("A1: Is this right?", (1, 1)),
        ("B3: Old style", (3, 3)),
    ]


def test_a_far_off_value_is_refused_and_a_far_off_empty_cell_is_not() -> None:
    near = f'<row r="1">{cell("A1", "Near")}</row>'
    with pytest.raises(ParseError, match="too many cells"):
        read_book(book(near + f'<row r="1048576">{cell("XFD1048576", "Far")}</row>'))
    empty = near + '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert [block.text for block in read_book(book(empty)).blocks] == ["Near"]


@pytest.mark.parametrize("data", [b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 broken", book("")])
def test_what_is_no_spreadsheet_or_empty_fails(data: bytes) -> None:
    with pytest.raises(ParseError):
        read_book(data)


def test_an_encrypted_workbook_says_so() -> None:
    wrapped = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le")
    )
    with pytest.raises(ParseError, match="encrypted"):
        read_book(wrapped)


def test_real_spreadsheets(mixed: Path) -> None:
    document = read_book((mixed / "testEXCEL.xlsx").read_bytes())
    squares = {block.lines: block for block in document.blocks}
    assert squares[(8, 8)].text == "| 3 | 9"
    assert squares[(8, 8)].header == "| Number | Square"
    assert squares[(8, 8)].heading == ("Feuil1",)

"""Word documents made part by part, and real ones against what Word shows of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_files import STRICT_W, docx, para, relationships, run, word, zipped

from ragcli.errors import ParseError
from ragcli.formats import docx as reader
from ragcli.formats.limits import Limits
from ragcli.types import Block, Parsed

BREAK = '<w:r><w:br w:type="page"/></w:r>'
RENDERED = "<w:r><w:lastRenderedPageBreak/></w:r>"

STYLES = word(
    "styles",
    '<w:style w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    '<w:style w:styleId="Mine"><w:name w:val="Custom"/><w:basedOn w:val="H2"/></w:style>'
    '<w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:styleId="T"><w:name w:val="Title"/></w:style>'
    '<w:style w:styleId="Loop"><w:name w:val="x"/><w:basedOn w:val="Loop"/></w:style>'
    '<w:style w:styleId="Body"><w:name w:val="b"/><w:basedOn w:val="H1"/>'
    '<w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>'
    '<w:style w:styleId="Ghost"><w:name w:val="g"/><w:rPr><w:vanish/></w:rPr></w:style>',
)


def style(name: str) -> str:
    return f'<w:pStyle w:val="{name}"/>'


def parsed(data: bytes, limits: Limits | None = None) -> Parsed:
    (document,) = reader.read(data, "a.docx", limits or Limits())
    return document


def texts(body: str, **extra: str) -> list[str]:
    return [block.text for block in parsed(docx(body, extra)).blocks]


def test_headings_follow_styles_and_what_they_are_based_on() -> None:
    body = (
        para("My book", style("T"))
        + para("One", style("H1"))
        + para("One point one", style("Mine"))
        + para("Text.", style("Body"))
        + para("Two", '<w:outlineLvl w:val="0"/>')
        + para("More.", style("Loop"))
    )
    document = parsed(docx(body, {"styles": STYLES}))
    assert [(block.kind, block.heading) for block in document.blocks] == [
        ("heading", ("My book",)),
        ("heading", ("One",)),
        ("heading", ("One", "One point one")),
        ("paragraph", ("One", "One point one")),
        ("heading", ("Two",)),
        ("paragraph", ("Two",)),
    ]
    assert document.title == "My book"
    assert document.page_unit == "about"


def test_inserted_text_stays_and_deleted_moved_and_hidden_text_goes() -> None:
    body = (
        f"<w:p><w:ins>{run('kept ')}</w:ins><w:del>{run('x1')}<w:r><w:delText>x2</w:delText></w:r></w:del>"
        f"<w:moveFrom>{run('x3')}</w:moveFrom><w:moveTo>{run('moved ')}</w:moveTo>"
        + run("x4", "<w:vanish/>")
        + run("shown", '<w:vanish w:val="0"/>')
        + run("x5", '<w:rStyle w:val="Ghost"/>')
        + "<w:r><w:instrText>x6</w:instrText></w:r></w:p>"
        + para("x7", style("Ghost"))
        + "<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>"
        + run("visible")
        + "</w:p>"
        + para("plain", '<w:pPrChange><w:pPr><w:pStyle w:val="H1"/></w:pPr></w:pPrChange>')
    )
    assert texts(body, styles=STYLES) == ["kept moved shown", "visible", "plain"]


def test_pages_count_hard_and_rendered_breaks_once() -> None:
    body = (
        para("one")
        + f"<w:p>{BREAK}</w:p>"
        + f"<w:p>{RENDERED}{run('two')}</w:p>"
        + f"<w:p>{run('still two ')}{RENDERED}{run('and three')}</w:p>"
        + f"<w:tbl><w:tr><w:tc><w:p>{RENDERED}{run('three')}</w:p></w:tc></w:tr></w:tbl>"
        + para("four", "<w:pageBreakBefore/>")
    )
    blocks = parsed(docx(body)).blocks
    assert [(block.page, block.text) for block in blocks] == [
        (1, "one"),
        (2, "two"),
        (2, "still two and three"),
        (3, "three"),
        (4, "four"),
    ]


def test_without_any_break_a_long_text_has_no_pages() -> None:
    blocks = parsed(docx(para("word " * 100) * 30)).blocks
    assert {block.page for block in blocks} == {None}
    assert {block.page for block in parsed(docx(para("short"))).blocks} == {1}


def test_lists_are_labelled_as_word_labels_them() -> None:
    numbering = word(
        "numbering",
        '<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/>'
        '<w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/>'
        '<w:numFmt w:val="lowerRoman"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>'
        '<w:abstractNum w:abstractNumId="8"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/>'
        '<w:lvlText w:val="x"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
        '<w:num w:numId="3"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="1"/></w:lvlOverride></w:num>',
    )

    def item(text: str, list_id: int, level: int = 0) -> str:
        return para(
            text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
        )

    body = item("a", 1) + item("b", 1, 1) + item("c", 1, 1) + item("d", 1) + item("e", 1, 1)
    body += item("f", 2) + item("g", 3) + item("h", 0)
    assert texts(body, numbering=numbering) == [
        "3. a", "3.i) b", "3.ii) c", "4. d", "4.i) e", "• f", "1. g", "h",
    ]  # fmt: skip


def test_notes_and_comments_follow_their_paragraph() -> None:
    body = (
        '<w:p><w:r><w:t>Claim</w:t><w:footnoteReference w:id="2"/></w:r>'
        '<w:r><w:commentReference w:id="0"/></w:r></w:p>' + para("Next.")
    )
    footnotes = word(
        "footnotes",
        f'<w:footnote w:id="1">{para("unused")}</w:footnote>'
        f'<w:footnote w:id="2">{para("The source.")}</w:footnote>',
    )
    comments = word("comments", f'<w:comment w:id="0" w:author="Ann">{para("Check!")}</w:comment>')
    assert texts(body, footnotes=footnotes, comments=comments) == [
        "Claim",
        "The source.",
        "Comment by Ann: Check!",
        "Next.",
    ]


def test_text_boxes_are_read_once_with_their_own_styles() -> None:
    box = f"<w:txbxContent>{para('Boxed', style('H1'))}</w:txbxContent>"
    body = (
        f"<w:p>{run('Before ')}<w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>{run('after')}</w:p>"
    )
    blocks = parsed(docx(body, {"styles": STYLES})).blocks
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "Boxed"),
        ("paragraph", "Before after"),
    ]


def test_table_rows_stand_under_their_header() -> None:
    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{cell}</w:tc>" for cell in cells) + "</w:tr>"

    nested = f"<w:tbl>{row(para('in'), para('side'))}</w:tbl>"
    body = (
        f"<w:tbl>{row(para('Name'), para('Age'))}{row(para('Bo') + para('Li'), para('7'))}"
        f"{row(nested, para('8'))}</w:tbl>"
    )
    assert parsed(docx(body)).blocks == [
        Block("Bo Li | 7", "row", page=1, header="Name | Age"),
        Block("in | side | 8", "row", page=1, header="Name | Age"),
    ]
    assert texts(f"<w:tbl>{row(para('a') + para('b'))}</w:tbl>") == ["a", "b"]
    assert texts(f"<w:tbl>{row(para('Only'), para('Header'))}</w:tbl>") == ["Only | Header"]


def test_headers_and_footers_come_once_at_the_end() -> None:
    header = word("hdr", para("ACME confidential"))
    body = para("Body.")
    assert texts(body, header1=header, header2=header, footer1=word("ftr", para("12"))) == [
        "Body.",
        "ACME confidential",
    ]


def test_special_characters_of_a_run() -> None:
    body = (
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t>"
        '<w:sym w:char="F0B7"/><w:softHyphen/><w:t>e</w:t></w:r></w:p>'
    )
    assert texts(body) == ["a b\nc-d•e"]


def test_the_strict_namespace_and_another_main_part_are_read() -> None:
    assert parsed(docx(para("strict"), namespace=STRICT_W)).blocks[0].text == "strict"
    renamed = zipped(
        {
            "_rels/.rels": relationships(("r", "officeDocument", "/word/document2.xml")),
            "word/document2.xml": word("document", para("elsewhere")),
        }
    )
    assert parsed(renamed).blocks[0].text == "elsewhere"


def test_a_document_that_breaks_off_keeps_what_was_read() -> None:
    whole = word("document", para("Before the break.") + para("After it."))
    document = parsed(zipped({"word/document.xml": whole[: whole.index("After")]}))
    assert [block.text for block in document.blocks] == ["Before the break."]
    assert "damaged" in document.warnings[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (docx(para("x"))[:-30], "not a readable zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (zipped({"other.txt": "x"}), "without word/document.xml"),
        (docx(""), "no text"),
        (docx(para(" ")), "no text"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parsed(data)


def test_deep_nesting_and_wide_tables_stay_linear() -> None:
    depth = 400
    nested = "<w:tbl><w:tr><w:tc>" * depth + para("deep " * 2000) + "</w:tc></w:tr></w:tbl>" * depth
    assert len(parsed(docx(nested)).blocks[0].text) == 9999
    spaced = "<w:p>" + (run(" ") + run("x")) * 20_000 + "</w:p>"
    assert len(parsed(docx(spaced)).blocks[0].text) == 39_999


@pytest.fixture
def mixed() -> Path:
    folder = os.environ.get("RAGCLI_TEST_DATA")
    if not folder:
        pytest.skip("RAGCLI_TEST_DATA is unset: no folder of evaluation data")
    return Path(folder) / "mixed"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "testWORD_numbered_list.docx",
            ["1) This", "ii) Level", "iii) List", "e. seven e", "2. Stout", "II. bar"],
        ),
        (
            "testWORD_various.docx",
            [
                "Here is a text box",
                "This is a footnote.",
                "ゾルゲと尾崎、淡々と最期",
                "This is the header text.",
            ],
        ),
        ("testWORD.docx", ["This is the footer for our document", "Heading Level 2"]),
    ],
)
def test_real_documents(mixed: Path, name: str, wanted: list[str]) -> None:
    document = parsed((mixed / name).read_bytes())
    found = {block.text for block in document.blocks}
    assert [text for text in wanted if text not in found] == []
    assert len(document.blocks) > 10

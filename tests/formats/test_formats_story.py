"""OpenDocument, Rich Text, books and messages, made by hand and real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_files import ODF, zipped

from ragcli.errors import ParseError
from ragcli.formats import eml, epub, grid, odt, rtf
from ragcli.formats.limits import Limits
from ragcli.formats.titles import usable
from ragcli.types import Block, Parsed


@pytest.fixture
def mixed() -> Path:
    folder = os.environ.get("RAGCLI_TEST_DATA")
    if not folder:
        pytest.skip("RAGCLI_TEST_DATA is unset: no folder of evaluation data")
    return Path(folder) / "mixed"


def odt_file(body: str, styles: str = "", parts: dict[str, str] | None = None) -> bytes:
    names = " ".join(
        f'xmlns:{name}="{ODF}{name}:1.0"' for name in ("office", "style", "text", "table")
    )
    names += f' xmlns:fo="{ODF}xsl-fo-compatible:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    content = (
        f"<office:document-content {names}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    return zipped({"content.xml": content} | (parts or {}))


def read_odt(data: bytes) -> Parsed:
    (document,) = odt.read(data, "a.odt", Limits())
    return document


def test_odt_headings_pages_notes_and_lists() -> None:
    body = (
        '<text:p text:style-name="Title">Tides</text:p>'
        '<text:h text:outline-level="1">Moon</text:h>'
        "<text:p>It <text:span>pulls</text:span><text:s/>the sea.<text:note><text:note-citation>1"
        "</text:note-citation><text:note-body><text:p>Twice a day.</text:p></text:note-body></text:note>"
        "</text:p>"
        '<text:h text:outline-level="2">Ebb</text:h><text:soft-page-break/>'
        "<text:list><text:list-item><text:p>low<text:line-break/>water</text:p></text:list-item></text:list>"
        '<text:p text:style-name="P1">Next page.</text:p>'
    )
    style = '<style:style style:name="P1"><style:paragraph-properties fo:break-before="page"/></style:style>'
    document = read_odt(odt_file(body, style))
    assert document.title == "Tides"
    assert document.page_unit == "about"
    assert document.blocks == [
        Block("Tides", "heading", ("Tides",), 1),
        Block("Moon", "heading", ("Moon",), 1),
        Block("It pulls the sea.", "paragraph", ("Moon",), 1),
        Block("Twice a day.", "paragraph", ("Moon",), 1),
        Block("Ebb", "heading", ("Moon", "Ebb"), 1),
        Block("low\nwater", "item", ("Moon", "Ebb"), 2),
        Block("Next page.", "paragraph", ("Moon", "Ebb"), 3),
    ]


def test_odt_drops_deleted_and_hidden_text_and_reads_tables() -> None:
    cells = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell><text:p>{c}</text:p></table:table-cell>' for c in row)}"
        "</table:table-row>"
        for row in (("Name", "Age"), ("Bo", "7"))
    )
    body = (
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:p>seen<text:span text:style-name="T1"> hidden</text:span></text:p>'
        f"<table:table>{cells}</table:table>"
        "<text:p>end<office:annotation><dc:creator>Ann</dc:creator><text:p>Sure?</text:p></office:annotation></text:p>"
    )
    style = (
        '<style:style style:name="T1"><style:text-properties text:display="none"/></style:style>'
    )
    assert read_odt(odt_file(body, style)).blocks == [
        Block("seen", page=1),
        Block("Bo | 7", "row", page=1, header="Name | Age"),
        Block("end", page=1),
        Block("Comment: Sure?", page=1),
    ]


def test_an_encrypted_odt_says_so() -> None:
    manifest = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    with pytest.raises(ParseError, match="encrypted"):
        read_odt(odt_file("<text:p>x</text:p>", parts={"META-INF/manifest.xml": manifest}))


def test_a_real_odt(mixed: Path) -> None:
    blocks = read_odt((mixed / "testOpenOffice2.odt").read_bytes()).blocks
    assert blocks[0].text.startswith("This is a sample Open Office document, written in NeoOffice")


RTF_HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset2 Symbol;}"
    r"{\f2\fcharset204 Cyr;}{\f3\fcharset128 Gothic;}}{\stylesheet{\ql Normal;}{\s1 heading 1;}"
    r"{\s2\outlinelevel1 Zwei;}{\s9 Title;}}{\info{\title Rich\'e9 text}{\author Ann}}"
)


def read_rtf(body: str) -> Parsed:
    (document,) = rtf.read((RTF_HEAD + body + "}").encode("latin-1"), "a.rtf", Limits())
    return document


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"caf\'e9 \u8364?5 \u-10179?\u-8704?!", "café €5 😀!"),
        (r"{\f2 \'cf\'f0\'e8}", "При"),
        (r"{\f3 \'93\'fa\'96\'7b}", "日本"),
        (r"a{\v hidden}b{\deleted gone}c{\*\unknown x}d", "abcd"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}", "link"),
        (r"\uc2\u960pi{\pict 0102}\uc0\u8364!", "π€!"),
        (r"a\~b\_c\-d\emdash e\{\}\\", "a b-cd—e{}\\"),
        (r"a\bin4 {{{{b", "ab"),
    ],
)
def test_rtf_characters(body: str, expected: str) -> None:
    assert [block.text for block in read_rtf(body).blocks] == [expected]


def test_rtf_structure() -> None:
    body = (
        r"\pard\s9 Tides\par\pard\s1 Moon\par\pard It pulls.{\footnote \pard Twice.}\par"
        r"\page\pard\s2 Ebb\par\pard{\listtext\f1\'b7\tab}low\par{\listtext 2.\tab}lower\par"
        r"\trowd\pard\intbl Name\cell Age\cell\row\trowd\pard\intbl Bo\par Li\cell 7\cell\row\pard"
        r"\sect\sectd\sbknone same\par\sect\sectd next\par"
    )
    document = read_rtf(body)
    assert (document.title, document.metadata) == ("Riché text", {"author": "Ann"})
    assert document.blocks == [
        Block("Tides", "heading", ("Tides",), 1),
        Block("Moon", "heading", ("Moon",), 1),
        Block("It pulls.", "paragraph", ("Moon",), 1),
        Block("Twice.", "paragraph", ("Moon",), 1),
        Block("Ebb", "heading", ("Moon", "Ebb"), 2),
        Block("• low", "item", ("Moon", "Ebb"), 2),
        Block("2. lower", "item", ("Moon", "Ebb"), 2),
        Block("Bo Li | 7", "row", ("Moon", "Ebb"), 2, header="Name | Age"),
        Block("same", "paragraph", ("Moon", "Ebb"), 2),
        Block("next", "paragraph", ("Moon", "Ebb"), 3),
    ]


def test_rtf_without_breaks_has_no_pages(mixed: Path) -> None:
    assert read_rtf("just text").blocks[0].page is None
    (real,) = rtf.read((mixed / "testRTF.rtf").read_bytes(), "a.rtf", Limits())
    assert [(block.text, block.page) for block in real.blocks] == [("Test d’indexation Word", 1)]


OPF = "http://www.idpf.org/2007/opf"
DC = "http://purl.org/dc/elements/1.1/"


def book(chapters: dict[str, str], parts: dict[str, str] | None = None) -> bytes:
    items = "".join(
        f'<item id="c{n}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in reversed(range(len(chapters))))
    members = {
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": f'<package xmlns="{OPF}"><metadata xmlns:dc="{DC}"><dc:title>Tides</dc:title>'
        "<dc:creator>Ann</dc:creator></metadata><manifest>"
        f'{items}<item id="toc" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>'
        f'<spine toc="toc">{spine}</spine></package>',
    }
    members |= {
        f"OEBPS/{name}": f"<html><body>{text}</body></html>" for name, text in chapters.items()
    }
    return zipped(members | (parts or {}))


def read_book(data: bytes) -> Parsed:
    (document,) = epub.read(data, "a.epub", Limits())
    return document


def test_chapters_come_in_spine_order_under_their_titles() -> None:
    ncx = (
        '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">'
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>The End</text>'
        '</navLabel><content src="ch%202.xhtml#a"/></navPoint><navPoint><navLabel><text>Begin</text></navLabel>'
        '<content src="ch1.xhtml"/></navPoint></navMap></ncx>'
    )
    chapters = {
        "ch 2.xhtml": "<h2>Last words</h2><p>Bye.</p>",
        "ch1.xhtml": "<h1>Begin</h1><p>Hello.</p>",
    }
    document = read_book(book(chapters, {"OEBPS/toc.ncx": ncx}))
    assert document.title == "Tides"
    assert document.metadata == {"author": "Ann"}
    assert [(block.text, block.heading, block.lines) for block in document.blocks] == [
        ("Begin", ("Begin",), None),
        ("Hello.", ("Begin",), None),
        ("Last words", ("The End", "Last words"), None),
        ("Bye.", ("The End", "Last words"), None),
    ]


def test_missing_chapters_are_said_and_protected_books_refused() -> None:
    whole = {"a.xhtml": "<p>One.</p>"}
    data = book(whole, {"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/a.xhtml"/></e>'})
    with pytest.raises(ParseError, match="encrypted"):
        read_book(data)
    fonts = book(whole, {"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/f.otf"/></e>'})
    assert read_book(fonts).blocks[0].text == "One."


def test_a_real_book(mixed: Path) -> None:
    document = read_book((mixed / "testEPUB.epub").read_bytes())
    found = {block.text: block.heading for block in document.blocks}
    assert found["This is the text for chapter One"] == ("Chapter 1",)


def read_mail(text: str) -> Parsed:
    (document,) = eml.read(text.encode("utf-8"), "a.eml", Limits())
    return document


MAIL = """\
From: =?utf-8?B?SsO8cmdlbg==?= <j@example.org>
Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?= plan
Date: Tue, 3 Feb 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: multipart/alternative; boundary="A"

--A
Content-Type: text/plain; charset=utf-8; format=flowed

This is a flowed \nsentence.

-- \nJ
--A
Content-Type: text/html

<p>not this</p>
--A--
--B
Content-Type: text/plain
Content-Disposition: attachment; filename="../../etc/notes.txt"

Attached.
--B
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''b%C3%A4r.pdf

JVBERi0=
--B
Content-Type: message/rfc822

From: inner@example.org
Subject: Inner

Forwarded.
--B--
"""


def test_a_message_with_everything() -> None:
    document = read_mail(MAIL)
    assert document.title == "日本café plan"
    assert document.metadata == {
        "from": "Jürgen <j@example.org>",
        "date": "2026-02-03T10:00:00+01:00",
    }
    assert [(block.text, block.heading) for block in document.blocks[1:]] == [
        ("This is a flowed sentence.", ()),
        ("-- \nJ", ()),
        ("Attached.", ("notes.txt",)),
        ("Attachments: notes.txt, bär.pdf", ()),
        ("From: inner@example.org\nSubject: Inner", ("Inner",)),
        ("Forwarded.", ("Inner",)),
    ]


def test_html_is_read_where_there_is_no_plain_text() -> None:
    document = read_mail(
        "Subject: x\nContent-Type: text/html\n\n<p>Hi <b>you</b></p><script>no</script>"
    )
    assert [block.text for block in document.blocks[1:]] == ["Hi you"]


def test_what_has_no_header_is_no_message() -> None:
    with pytest.raises(ParseError, match="header fields"):
        read_mail("just some words\n\nand more")


def test_a_real_message(mixed: Path) -> None:
    (document,) = eml.read((mixed / "testRFC822").read_bytes(), "testRFC822", Limits())
    assert document.title == "[jira] Commented: (TIKA-461) RFC822 messages not parsed"
    assert "I'll have a look at mime4j and try to use it in Tika" in [
        b.text for b in document.blocks
    ]


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["Name", "Age"], True),
        (["Name", "", ""], False),
        (["Bo", "7"], False),
        (["2026-02-03", "12.5"], False),
        (["A", "B", "x" * 200], True),
        ([], False),
    ],
)
def test_which_row_names_columns(cells: list[str], names: bool) -> None:
    assert grid.names_columns(cells) is names


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("  A  good\ntitle ", "A good title"),
        ("Microsoft PowerPoint - deck", None),
        ("PowerPoint Presentation", None),
        ("Document1", None),
        ("report.final.docx", None),
        ("The history of documents", "The history of documents"),
        ("---", None),
        (None, None),
    ],
)
def test_titles(title: str | None, expected: str | None) -> None:
    assert usable(title) == expected

"""HTML: what is shown and nothing else, with headings and source lines."""

from __future__ import annotations

import re

import pytest
from reading import needs_data, only, read, real_files, shown, strayed

from ragcli.errors import ParseError
from ragcli.formats import html
from ragcli.formats.encoding import decode
from ragcli.formats.limits import Limits


def text_of(source: str) -> str:
    return " ".join(" ".join(block.text for block in html.blocks(source, Limits())).split())


@pytest.mark.parametrize(
    "source",
    [
        "<script>no</script>yes",
        "<SCRIPT>if (a<b) no</SCRIPT >yes",
        "<style>no{}</style>yes<!-- no --><!--> -->",
        "<noscript>no</noscript>yes<template>no<p>no</template>",
        "<p hidden>no</p>yes",
        "<p hidden>no<p>yes",
        "<p hidden>no<div>yes</div>",
        "<div style='DISPLAY : none'><div>no</div>no</div>yes",
        '<div style="color:red; visibility:hidden">no</div>yes',
        "<ul><li hidden>no<li>yes</ul>",
        "<table><tr><td hidden>no<td>yes</table>",
        "<span hidden><span>no</span>no</span>yes",
        "<b><div hidden>no</b>no</div>yes",
        "<div hidden><table><tr><td></div>no</td></tr></table>no</div>yes",
        "<input hidden>yes<br hidden>",
        "<p class='hidden none'>yes</p>",
        "<p data-a='> hidden' title=hidden>yes</p>",
        "<video>no</video>yes",
        "yes<a href='x",
    ],
)
def test_hidden_text_is_dropped_and_shown_text_is_kept(source: str) -> None:
    assert re.sub(r"\W+", " ", text_of(source)).strip().removesuffix("-->").strip() == "yes"


def test_headings_and_lines() -> None:
    source = (
        "<html><head><title>The &amp; title</title></head><body>\n<h1>One\n two</h1>\n\n<p>Some <b>bo</b>ld\n"
        "text.</p>\n<h2>Sub <a>¶</a></h2><ul><li>a<li><p>b</p></ul>\n<pre>\nx\n  y</pre>\n<h1>Next</h1>z<br>q\n"
    )
    document = only("html", source)
    assert document.title == "The & title"
    assert [(block.kind, block.text, block.heading, block.lines) for block in document.blocks] == [
        ("heading", "One\ntwo", ("One two",), (2, 3)),
        ("paragraph", "Some bold\ntext.", ("One two",), (5, 6)),
        ("heading", "Sub ¶", ("One two", "Sub"), (7, 7)),
        ("item", "a", ("One two", "Sub"), (7, 7)),
        ("item", "b", ("One two", "Sub"), (7, 7)),
        ("code", "x\n  y", ("One two", "Sub"), (9, 10)),
        ("heading", "Next", ("Next",), (11, 11)),
        ("paragraph", "z", ("Next",), (11, 11)),
        ("paragraph", "q", ("Next",), (11, 11)),
    ]


def test_table_rows_are_lines_of_cells_under_their_header() -> None:
    source = "<table><tr><th>Name<th>Code</tr>\n<tr><td>Zebra<br>B</td>\n<td><p>4417</p></td></tr></table>after"
    blocks = html.blocks(source, Limits())
    assert [(block.kind, block.text, block.header, block.lines) for block in blocks] == [
        ("row", "Zebra B | 4417", "Name | Code", (2, 3)),
        ("paragraph", "after", None, (3, 3)),
    ]


def test_a_layout_table_is_no_row() -> None:
    source = "<table><tr><td><h1>T</h1><p>one</p><p>two</p></td><td>menu</td></tr></table>"
    assert [block.text for block in html.blocks(source, Limits())] == ["T", "one", "two", "menu"]


def test_a_header_without_rows_is_a_row() -> None:
    assert text_of("<table><tr><th>a<th>b</table>") == "a | b"


def test_references_are_resolved_and_never_break_a_line() -> None:
    assert shown(
        "html", "<p>a&nbsp;&lt;b&gt;&#10;c &#x1F600; &unknown; x&shy;y 2<sup>3</sup></p>"
    ) == [("a <b> c 😀 &unknown; xy 2^3", (1, 1))]
    assert text_of("&#" + "9" * 5000 + ";a").endswith("a")


def test_xhtml_closes_its_own_tags() -> None:
    assert (
        text_of("<html xmlns='http://www.w3.org/1999/xhtml'><script src='x'/><title/><p>a</p>")
        == "a"
    )


def test_the_encoding_of_the_bytes_wins_over_a_wrong_declaration() -> None:
    assert only("html", b'<meta charset="utf-8"><body>caf\xe9 4417').blocks[0].text == "café 4417"
    page = "<meta charset='windows-1251'><p>Привет, мир</p>".encode("cp1251")
    assert only("html", page).blocks[0].text == "Привет, мир"


def test_the_base_heading_and_first_line_are_those_given() -> None:
    (heading, paragraph) = html.blocks("<h3>S</h3>\nx", Limits(), heading=("Mail",), first=7)
    assert heading.heading == paragraph.heading == ("Mail", "S")
    assert (heading.lines, paragraph.lines) == ((7, 7), (8, 8))


def test_a_page_that_shows_nothing_is_an_error() -> None:
    with pytest.raises(ParseError):
        read("html", "<html><script>x</script></html>")


def test_the_text_limit_holds() -> None:
    document = html.document("<p>words</p>" * 100, Limits(text_bytes=50))
    assert len(document.blocks) == 10
    assert document.warnings


@needs_data
def test_words_and_headings_are_those_of_libxml_on_real_files() -> None:
    lxml_html = pytest.importorskip("lxml.html", reason="lxml is not installed")
    for path in real_files(".html"):
        tree = lxml_html.document_fromstring(path.read_bytes())
        for element in tree.xpath("//script|//style|//noscript|//template|//head"):
            element.drop_tree()
        blocks = only("html", path.read_bytes()).blocks
        words = re.findall(r"\w+", tree.text_content())
        assert "".join(words) == "".join(
            re.findall(r"\w+", " ".join(block.text for block in blocks))
        ), path
        headings = [
            " ".join(found.text_content().split()) for found in tree.iter("h1", "h2", "h3", "h4")
        ]
        assert headings == [
            " ".join(block.text.split()) for block in blocks if block.kind == "heading"
        ]


@needs_data
def test_text_stands_on_the_lines_it_claims() -> None:
    for path in real_files(".html"):
        source = decode(path.read_bytes())
        for block in only("html", source).blocks:
            assert not list(strayed(block, source.split("\n"))), (path, block)

"""Markdown: the same headings as the reference parser, and readable text on its own lines."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from reading import needs_data, only, read, real_files, shown, strayed

from ragcli.errors import ParseError
from ragcli.formats import frontmatter
from ragcli.formats.encoding import decode
from ragcli.formats.mdlines import Structure

Headings = list[tuple[int, int, str]]


def reference_headings(text: str) -> Headings:
    parser = MarkdownIt("commonmark", {"maxNesting": 60})
    tokens = parser.parse(text)
    return [
        (int(opening.tag[1]), opening.map[0] + 1, " ".join(inline.content.split()))
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open" and opening.map
    ]


def own_headings(text: str) -> Headings:
    leaves = Structure().read(text.split("\n"))
    return [
        (leaf.level, leaf.first, " ".join(" ".join(leaf.lines).split()))
        for leaf in leaves
        if leaf.kind == "heading"
    ]


@needs_data
def test_headings_are_those_of_the_reference_on_real_files() -> None:
    count = 0
    for path in real_files(".md"):
        text = decode(path.read_bytes())
        assert own_headings(text) == reference_headings(text), path
        count += len(own_headings(text))
    assert count > 1000


# Lines that begin, continue or break every kind of block. Left out are link definitions and quotes
# in quotes, on which the reference and the text of the specification differ.
PIECES = [
    *(
        "# h",
        "## h2 ##",
        "h3",
        "===",
        "---",
        "####### no",
        "#",
        "# a #b#",
        "\\# no",
        "  # h",
        "    # c",
    ),
    *(
        "- item",
        "  - sub",
        "-",
        "- # ih",
        "1. one",
        "2) two",
        "1.",
        "10. ten",
        "- - x",
        "+ a",
        "   - c",
    ),
    *(
        "> quote",
        ">",
        "> # qh",
        "> - q",
        "- > lq",
        ">\ttab",
        "-\ttab",
        "\t- tab",
        "   ===",
        "***",
        "_ _ _",
    ),
    *(
        "```",
        "~~~ x",
        "- ```",
        "  ```",
        "    code",
        "\tcode",
        "      six",
        "`a",
        "",
        "",
        "text",
        "   text",
    ),
    *(
        "<div>",
        "</div>",
        "<!-- c",
        "-->",
        "<b>",
        "<script>",
        "</script>",
        "<?x",
        "?>",
        "a | b",
        "|---|",
    ),
]


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8))
def test_headings_are_those_of_the_reference_on_any_lines(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert own_headings(text) == reference_headings(text)


@needs_data
def test_text_stands_on_the_lines_it_claims() -> None:
    for path in real_files(".md"):
        source = decode(path.read_bytes())
        for block in only("markdown", source).blocks:
            assert not list(strayed(block, source.split("\n"))), (path, block)


def test_blocks_know_their_kind_heading_and_lines() -> None:
    source = (
        "Intro\n=====\n\nSome *text*\non two lines.\n\n## Use ##\n- one\n  more\n- two\n\n"
        "```sh\n# no heading\n\nrun\n```\n\n> said\n\n1. first\n"
    )
    found = [
        (block.kind, block.text, block.heading, block.lines)
        for block in only("markdown", source).blocks
    ]
    use = ("Intro", "Use")
    assert found == [
        ("heading", "Intro", ("Intro",), (1, 1)),
        ("paragraph", "Some *text*\non two lines.", ("Intro",), (4, 5)),
        ("heading", "Use", use, (7, 7)),
        ("item", "- one\nmore", use, (8, 9)),
        ("item", "- two", use, (10, 10)),
        ("code", "# no heading\n\nrun", use, (13, 15)),
        ("quote", "said", use, (18, 18)),
        ("item", "1. first", use, (20, 20)),
    ]


def test_headings_inside_a_quote_end_with_it() -> None:
    source = "# A\n\n> ### Note\n>\n> inside\n\noutside\n\n## B\n\nlast\n"
    paths = {block.text: block.heading for block in only("markdown", source).blocks}
    assert paths["inside"] == ("A", "Note")
    assert paths["outside"] == ("A",)
    assert paths["last"] == ("A", "B")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("see [the docs](http://x.org/a_(b) 'T') now", "see the docs now"),
        ("[![CI](badge.svg)](https://ci.org) built", "CI built"),
        ("[text][ref], [ref][] and [ref]\n\n[ref]: /url", "text, ref and ref"),
        ("an [array] and a[0](1)", "an [array] and a0"),
        ("`[a](b)` and `` `[c](d)` ``", "`[a](b)` and `` `[c](d)` ``"),
        (r"\[a](b)", r"\[a](b)"),
        ("go to <https://x.org/> or <me@x.org>", "go to https://x.org/ or me@x.org"),
        ("a <!-- secret --> b<br>c <b>bold</b>", "a  b c bold"),
        ("Vec<String> and 2<sup>53</sup>", "Vec<String> and 2^53"),
        ("[a\nb](c) d", "a\nb d"),
        ("x [^1] y", "x [^1] y"),
        ("[broken](no end", "[broken](no end"),
    ],
)
def test_links_become_their_words(source: str, expected: str) -> None:
    assert only("markdown", source).blocks[0].text == expected


def test_a_link_over_two_lines_leaves_the_next_line_in_place() -> None:
    assert shown("markdown", "a [b\nc](d)\n<b\nid=x>e</b>\nf") == [("a b\nc\n\ne\nf", (1, 5))]


def test_table_rows_carry_their_header() -> None:
    blocks = only("markdown", "before\nName | Code\n--- | ---\nZebra | `4417`\n\nafter | b").blocks
    assert [(block.kind, block.text, block.header, block.lines) for block in blocks] == [
        ("paragraph", "before", None, (1, 1)),
        ("row", "Zebra | `4417`", "Name | Code", (4, 4)),
        ("paragraph", "after | b", None, (6, 6)),
    ]


def test_hidden_text_is_dropped() -> None:
    text = "\n".join(
        block.text
        for block in only("markdown", "<!-- obey\nme -->\n\nseen\n\n<p hidden>no</p>\n").blocks
    )
    assert text == "seen"


def test_front_matter_gives_the_title_and_is_no_text() -> None:
    document = only(
        "markdown", '---\ntitle: "A: B"\nauthor: Ann # x\ntags: [a]\n---\n# Other\ntext\n'
    )
    assert (document.title, document.metadata) == ("A: B", {"author": "Ann"})
    assert [(block.text, block.lines) for block in document.blocks] == [
        ("Other", (6, 6)),
        ("text", (7, 7)),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "---\ntitle: [unclosed\n  bad: : yaml\n---\n# T\n4417\n",
        '---\n!!python/object/apply:os.system ["touch PWNED"]\n---\n# T\n4417\n',
        "---\ntitle: &a [*a, *a]\n---\n# T\n4417\n",
    ],
)
def test_broken_or_hostile_front_matter_is_passed_over(source: str) -> None:
    document = only("markdown", source)
    assert document.title == "T"
    assert document.blocks[-1].text == "4417"


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert frontmatter.read(["---", "", "title: x", "---"]).lines == 0
    assert [block.text for block in only("markdown", "---\nJust words here\n\nmore\n").blocks][
        -1
    ] == "more"


def test_a_blank_file_is_an_error() -> None:
    with pytest.raises(ParseError):
        read("markdown", " \n\t\n")

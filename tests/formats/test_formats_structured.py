"""JSON, YAML, XML, notebooks, LaTeX and code: text with lines, under what encloses it."""

from __future__ import annotations

import json

import pytest
from reading import only, read, shown

from ragcli.errors import ParseError

THINGS = [
    {"id": i, "name": f"thing {i}", "nested": {"a": [1, 2], "b": "words " * 12}} for i in range(50)
]


@pytest.mark.parametrize("indent", [None, 2])
def test_json_comes_in_pieces_that_add_up_to_the_source(indent: int | None) -> None:
    source = json.dumps({"things": THINGS}, indent=indent)
    blocks = only("json", source).blocks
    assert len(blocks) > 10
    assert max(len(block.text) for block in blocks) < 2000
    joined = "".join("".join(block.text.split()) for block in blocks)
    assert joined == "".join(source.split())
    lines = source.split("\n")
    for block in blocks:
        assert block.lines is not None
        first, last = block.lines
        assert block.text.split("\n")[0].strip() in lines[first - 1]
        assert block.text.split("\n")[-1].strip() in lines[last - 1]
    assert blocks[-1].heading[:1] == ("things",)


def test_json_letters_are_readable_and_escapes_stay() -> None:
    source = '{"a": "caf\\u00e9 \\ud83d\\ude00 \\ud800 \\u0022 \\\\u00e9 4417"}'
    assert shown("json", source) == [('{"a": "café 😀 \\ud800 \\u0022 \\\\u00e9 4417"}', (1, 1))]


@pytest.mark.parametrize(
    "source",
    ["[" * 100_000 + "]" * 100_000, '{"a":' * 600 + "1" + "}" * 600, "[{}]", ""],
    ids=["deep", "keys", "bare", "empty"],
)
def test_json_too_deep_or_empty_is_an_error(source: str) -> None:
    with pytest.raises(ParseError):
        read("json", source)


@pytest.mark.parametrize(
    "source",
    ['{"n": ' + "9" * 100_000 + "}", '{"a": NaN, "a": Infinity}', '{"a": 1, // x'],
    ids=["long number", "no number", "comment"],
)
def test_json_is_never_built(source: str) -> None:
    assert only("json", source).blocks[0].text == source


def test_yaml_pieces_stand_under_their_keys() -> None:
    service = "  name{0}:\n    image: img{0}\n    note: " + "words " * 30 + "\n"
    source = (
        "# services\nservices:\n"
        + "".join(service.format(i) for i in range(9))
        + "other: *unknown\n"
    )
    blocks = only("yaml", source).blocks
    assert len(blocks) > 3
    assert {block.heading for block in blocks} == {(), ("services",)}
    lines = source.split("\n")
    for block in blocks:
        assert block.lines is not None
        assert block.text.split("\n") == [
            line.rstrip() for line in lines[block.lines[0] - 1 : block.lines[1]]
        ]


def test_xml_text_keeps_its_lines() -> None:
    source = (
        "<rss>\n<title>Feed</title>\n\n<item a='x'><t><![CDATA[A & <i>]]></t>\n<d>of\nit</d></item>\n"
        "<style>no</style></rss>"
    )
    assert shown("xml", source) == [("Feed", (2, 2)), ("A & <i>\nof\nit", (4, 6))]


@pytest.mark.parametrize(
    "source",
    [
        '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><w>&b;</w>',
        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>',
        "<a><b/></a>",
    ],
)
def test_xml_with_its_own_dtd_or_without_text_is_an_error(source: str) -> None:
    with pytest.raises(ParseError):
        read("xml", source)


def test_a_notebook_is_read_cell_by_cell() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Top\n", "words"]},
        {
            "cell_type": "code",
            "source": "print(1)",
            "outputs": [
                {"output_type": "stream", "text": ["1\n", "2\n"]},
                {"data": {"text/plain": "x" * 5000, "image/png": "AAAA"}},
            ],
        },
        {"cell_type": "markdown", "source": "## Sub\n\nmore"},
        "no cell",
    ]
    document = only("notebook", json.dumps({"cells": cells}))
    assert (document.title, document.page_unit) == ("Top", "cell")
    found = [(block.kind, block.text[:8], block.heading, block.page) for block in document.blocks]
    assert found == [
        ("heading", "Top", ("Top",), 1),
        ("paragraph", "words", ("Top",), 1),
        ("code", "print(1)", ("Top",), 2),
        ("code", "1\n2\n\nxxx", ("Top",), 2),
        ("heading", "Sub", ("Top", "Sub"), 3),
        ("paragraph", "more", ("Top", "Sub"), 3),
    ]
    assert len(document.blocks[3].text) < 2100


@pytest.mark.parametrize(
    "source", ["{}", "[]", '{"cells": []}', "[" * 100_000, "no", '{"cells": [[[1]]]}']
)
def test_what_is_no_notebook_is_an_error(source: str) -> None:
    with pytest.raises(ParseError):
        read("notebook", source)


def test_latex_sections_comments_and_items() -> None:
    source = (
        "\\documentclass{article}\n\\title{A \\emph{Nice} Paper}\n\\begin{document}\n"
        "\\section{In {and} out}\\label{s}\n"
        "50\\% of \\textbf{it}. % hidden\nMore.\n\n\\begin{itemize}\n\\item One\n  two\n\\end{itemize}\n"
        "\\subsection*{Deep}\n\\begin{verbatim}\nx % kept\n\\end{verbatim}\n% hidden\nEnd.\n\\end{document}\n"
    )
    document = only("latex", source)
    assert document.title == "A Nice Paper"
    top = ("In {and} out",)
    assert [(block.kind, block.text, block.heading, block.lines) for block in document.blocks] == [
        ("heading", "In {and} out", top, (4, 4)),
        ("paragraph", "50\\% of it.\nMore.", top, (5, 6)),
        ("item", "\\item One\ntwo", top, (9, 10)),
        ("heading", "Deep", (*top, "Deep"), (12, 12)),
        ("code", "x % kept", (*top, "Deep"), (14, 14)),
        ("paragraph", "End.", (*top, "Deep"), (17, 17)),
    ]


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        (
            "a.py",
            "import x\n\nclass A:\n    y = 1\n\n    async def f(self):\n        pass\n\nz = 2\n",
            [((), (1, 1)), (("A",), (3, 4)), (("A", "f"), (6, 7)), ((), (9, 9))],
        ),
        (
            "a.go",
            "package m\n\nfunc (s *T) Run() {\n\tx()\n\n\ty()\n}\n",
            [((), (1, 1)), (("Run",), (3, 7))],
        ),
        (
            "a.rs",
            "pub(crate) struct P;\n\nimpl<T> P {\n    pub fn go() {}\n}\n",
            [(("P",), (1, 5))],
        ),
        ("a.ts", "export default class Q extends R {\n}\n", [(("Q",), (1, 2))]),
        ("a.sql", "select 1\n\nselect 2\n", [((), (1, 3))]),
    ],
)
def test_code_stands_under_the_names_that_enclose_it(
    name: str, source: str, expected: list[tuple[tuple[str, ...], tuple[int, int]]]
) -> None:
    blocks = only("code", source, name).blocks
    assert [(block.heading, block.lines) for block in blocks] == expected
    lines = source.split("\n")
    for block in blocks:
        assert block.lines is not None
        assert block.text.split("\n") == lines[block.lines[0] - 1 : block.lines[1]]

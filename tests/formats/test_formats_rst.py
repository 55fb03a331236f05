"""RST: levels by the order of styles, readable text on its own lines."""

from __future__ import annotations

import pytest
from reading import needs_data, only, real_files, strayed

from ragcli.formats.encoding import decode


def test_levels_follow_the_order_of_the_styles() -> None:
    source = "=====\nTitle\n=====\n\nOne\n===\n\na\n\nTwo\n---\n\nb\n\nThree\n=====\n\nc\n"
    document = only("rst", source)
    assert document.title == "Title"
    assert {
        block.text: block.heading for block in document.blocks if block.kind == "paragraph"
    } == {
        "a": ("Title", "One"),
        "b": ("Title", "One", "Two"),
        "c": ("Title", "Three"),
    }
    assert next(block.lines for block in document.blocks if block.text == "Two") == (10, 10)


def test_blocks_and_their_lines() -> None:
    source = (
        "Start::\n\n    $ run\n\n    # more\n\n- one\n  two\n- three\n\n"
        ".. code-block:: py\n    :caption: f.py\n\n    x = 1\n\n"
        ".. note:: Mind\n    this.\n\n    And that.\n\n.. comment\n   hidden\n\n"
        ".. [1] Foot\n   note.\n.. _target: http://x.org\n\n>>> 1 + 1\n2\n\n----\n\nend\n"
    )
    assert [(block.kind, block.text, block.lines) for block in only("rst", source).blocks] == [
        ("paragraph", "Start:", (1, 1)),
        ("code", "$ run\n\n# more", (3, 5)),
        ("item", "- one\ntwo", (7, 8)),
        ("item", "- three", (9, 9)),
        ("paragraph", "f.py", (12, 12)),
        ("code", "x = 1", (14, 14)),
        ("paragraph", "Mind\nthis.", (16, 17)),
        ("paragraph", "And that.", (19, 19)),
        ("paragraph", "[1] Foot\nnote.", (24, 25)),
        ("code", ">>> 1 + 1\n2", (28, 29)),
        ("paragraph", "end", (33, 33)),
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("see `the docs <http://x.org>`_ and :ref:`here <a-b>`", "see the docs and here"),
        (":class:`~flask.Flask` or :py:func:`f`", "~flask.Flask or f"),
        ("``:ref:`a <b>` `` and `plain`", "``:ref:`a <b>` `` and `plain`"),
        ("a `b\nc <d>`__ e", "a b\nc e"),
        ("a `b\n<d>`__ e\nf", "a b\n e\nf"),
    ],
)
def test_links_and_roles_become_their_words(source: str, expected: str) -> None:
    assert only("rst", source).blocks[0].text == expected


def test_rows_of_tables_carry_their_header() -> None:
    simple = "== ===\nA  B\n== ===\n1  one\n2  two\n== ===\n\nend\n\n"
    grid = "+---+---+\n| A | B |\n+===+===+\n| 1 | x |\n|   | y |\n+---+---+\n"
    assert [
        (block.text, block.header, block.lines) for block in only("rst", simple + grid).blocks
    ] == [
        ("1  one", "A  B", (4, 4)),
        ("2  two", "A  B", (5, 5)),
        ("end", None, (8, 8)),
        ("| 1 | x |\n|   | y |", "| A | B |", (13, 14)),
    ]


def test_the_header_of_a_proposal_names_its_title() -> None:
    assert (
        only("rst", "PEP: 8\nTitle: Style Guide\nStatus: Active\n\nIntro\n=====\n\nText\n").title
        == "Style Guide"
    )


@needs_data
def test_text_stands_on_the_lines_it_claims_on_real_files() -> None:
    headings = 0
    for path in real_files(".rst"):
        source = decode(path.read_bytes())
        for block in only("rst", source).blocks:
            headings += block.kind == "heading"
            assert not list(strayed(block, source.split("\n"))), (path, block)
    assert headings > 1000

"""PDFs whose every line is known, and real ones against what is printed on their pages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_files import column, pdf

from ragcli.errors import ParseError
from ragcli.formats import pdf as reader
from ragcli.formats.limits import Limits
from ragcli.types import Block, Parsed

SENTENCE = [
    "The device was calibrated on the first Monday of every month, as the",
    "standard asks, and the results were kept for seven years in a locked",
    "cabinet.",
]


def parsed(data: bytes, limits: Limits | None = None) -> Parsed:
    (document,) = reader.read(data, "a.pdf", limits or Limits())
    return document


def texts(data: bytes) -> list[str]:
    return [block.text for block in parsed(data).blocks]


def test_a_sentence_over_lines_is_one_text_on_its_page() -> None:
    document = parsed(pdf([column(["Page one speaks of lions."]), column(SENTENCE)]))
    assert document.blocks[1] == Block(" ".join(SENTENCE), page=2)
    assert document.page_unit == "page"


def test_paragraphs_part_at_gaps_and_at_indents() -> None:
    spaced = [*column(SENTENCE), *column(SENTENCE, top=650)]
    assert texts(pdf([spaced])) == [" ".join(SENTENCE)] * 2
    indented = [*column(SENTENCE), (90.0, 678.0, SENTENCE[0]), (72.0, 664.0, "It ended.")]
    assert texts(pdf([indented])) == [" ".join(SENTENCE), SENTENCE[0] + " It ended."]


def test_columns_are_read_one_after_the_other() -> None:
    left, right = (
        column(["The left column speaks", "of two things."]),
        column(["The right one", "of more."], x=330),
    )
    assert texts(pdf([[*left, *right]]))[0].startswith("The left column speaks")
    assert texts(pdf([[*left, *right]]))[-1].startswith("The right one")


def test_rows_of_a_short_table_keep_their_lines() -> None:
    rows = ["Alpha 12", "Beta 7", "A much longer row of the very same table 15"]
    assert texts(pdf([column(rows)])) == ["\n".join(rows)]


def test_items_of_a_list_are_blocks_of_their_own() -> None:
    lines = ["Bring the following things:", "\x95 a lamp", "\x95 a rope", "- bread"]
    blocks = parsed(pdf([column(lines)])).blocks
    assert [(block.kind, block.text) for block in blocks[1:]] == [
        ("item", "• a lamp"),
        ("item", "• a rope"),
        ("item", "- bread"),
    ]


def test_words_cut_at_a_line_end_are_joined() -> None:
    lines = [
        "The committee published its recommen-",
        "dations on a long-term plan, and the long-",
        "term plan won.",
    ]
    assert texts(pdf([column(lines)])) == [
        "The committee published its recommendations on a long-term plan, and the long-term plan won."
    ]


def test_running_heads_and_page_numbers_go_and_the_first_stays() -> None:
    def page(number: int) -> list[tuple[float, float, str]]:
        body = column([f"Line {number}.{line} of the body, all alone." for line in range(10)])
        return [(72, 770, "The Annual Report"), *body, (300, 30, str(number))]

    found = texts(pdf([page(number) for number in range(1, 6)]))
    assert sum("The Annual Report" in text for text in found) == 1
    assert not {"1", "2", "3", "4", "5"} & set(found)
    for number in range(1, 6):
        assert any(f"Line {number}.9" in text for text in found)


def test_lines_repeated_in_the_body_or_on_short_pages_stay() -> None:
    short = pdf([column(["Draft", "Signed by all parties."])] * 5)
    assert sum("Draft" in text for text in texts(short)) == 5


def test_outline_gives_heading_paths_by_words_and_by_height() -> None:
    pages = [
        column(["Preface of the book", "", "Something before any chapter at all."], step=30),
        column(
            ["1 Beginnings", "How it all began, in a cold winter.", "Endings", "And how it ended."],
            step=40,
        ),
    ]
    data = pdf(pages, outline=[("Beginnings", 1, 760), ("Ends", 1, 655)])
    found = [(block.kind, block.heading) for block in parsed(data).blocks if block.page == 2]
    assert found == [
        ("heading", ("Beginnings",)),
        ("paragraph", ("Beginnings",)),
        ("paragraph", ("Ends",)),
        ("paragraph", ("Ends",)),
    ]


def test_page_labels_are_shown_where_they_differ() -> None:
    pages = [column([f"Text of page {name}."]) for name in ("ii", "iii", "three")]
    data = pdf(pages, labels="0 << /S /r /St 2 >> 2 << /S /D /St 3 >>")
    blocks = parsed(data).blocks
    assert [(block.page, block.page_label) for block in blocks] == [
        (1, "ii"),
        (2, "iii"),
        (3, None),
    ]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A Study of Owls", "A Study of Owls"),
        ("Microsoft Word - owls_final.doc", None),
        ("owls.dvi", None),
        ("untitled", None),
        ("", None),
    ],
)
def test_a_title_that_is_none_is_dropped(title: str, expected: str | None) -> None:
    document = parsed(pdf([column(["Owls hunt at night."])], title=title))
    assert document.title == expected
    assert document.metadata == {"date": "2026-02-03"}


def test_pages_without_text_are_named_and_a_file_without_any_fails() -> None:
    mixed = parsed(pdf([column(["A page with text."]), [], [], column(["Another with text."])]))
    assert mixed.warnings == ["No text, needs OCR: pages 2-3."]
    assert [block.page for block in mixed.blocks] == [1, 4]
    with pytest.raises(ParseError, match="no text, needs OCR"):
        parsed(pdf([[], column(["Hi"])]))


def test_an_encrypted_file_says_so() -> None:
    objects = (
        b"6 0 obj\n<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <%b> /U <%b> >>\nendobj\n"
    )
    data = pdf([column(["Hidden from everyone."])])
    locked = data.replace(b"xref\n", objects % (b"41" * 32, b"42" * 32) + b"xref\n", 1)
    locked = locked.replace(b"trailer << ", b"trailer << /Encrypt 6 0 R /ID [<00> <00>] ")
    broken_table = locked.replace(b"startxref", b"startxxxx")
    with pytest.raises(ParseError, match="encrypted"):
        parsed(broken_table)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\n", b"no pdf at all", pdf([column(["x"])])[:200]])
def test_what_is_no_pdf_is_a_parse_error(data: bytes) -> None:
    with pytest.raises(ParseError):
        parsed(data)


def test_text_over_the_limit_is_cut_and_said() -> None:
    data = pdf([column([f"Sentence {page} of a long book."]) for page in range(200)])
    document = parsed(data, Limits(text_bytes=1000))
    assert sum(len(block.text) for block in document.blocks) <= 1000
    assert document.warnings[-1].startswith("Only the first")
    assert document.blocks[0].page == 1


def test_characters_made_for_print_become_those_people_type() -> None:
    lines = ["Price:\xa0five \x80 for a caf\xe9", "and 10\xb2 metres."]
    assert texts(pdf([column(lines)])) == ["Price: five € for a café and 10² metres."]


@pytest.fixture
def mixed() -> Path:
    folder = os.environ.get("RAGCLI_TEST_DATA")
    if not folder:
        pytest.skip("RAGCLI_TEST_DATA is unset: no folder of evaluation data")
    return Path(folder) / "mixed"


@pytest.mark.parametrize(
    ("name", "page", "label", "sentence"),
    [
        (
            "multi-column.pdf",
            1,
            None,
            "relies on efficient passage retrieval to select candidate contexts, where",
        ),
        (
            "multi-column.pdf",
            2,
            None,
            "can we train a better dense embedding model using only pairs of questions",
        ),
        (
            "redp5110_sampled.pdf",
            6,
            None,
            "The monitoring and assessment of adherence to the security policy determines",
        ),
        (
            "GeoTopo-komprimiert.pdf",
            2,
            "ii",
            "Das Skript ist kostenlos über martin-thoma.com/geotopo verfügbar.",
        ),
        (
            "testPDF.pdf",
            1,
            None,
            "structured text content from various documents using existing parser libraries.",
        ),
    ],
)
def test_real_files_hold_whole_sentences_on_the_right_page(
    mixed: Path, name: str, page: int, label: str | None, sentence: str
) -> None:
    document = parsed((mixed / name).read_bytes())
    found = [block for block in document.blocks if sentence in block.text]
    assert [(block.page, block.page_label) for block in found] == [(page, label)]


def test_a_real_outline_is_followed(mixed: Path) -> None:
    document = parsed((mixed / "GeoTopo-komprimiert.pdf").read_bytes())
    headings = [block for block in document.blocks if block.kind == "heading"]
    assert document.title == "Geometrie und Topologie"
    assert len(headings) > 20
    assert all(block.text == block.heading[-1] for block in headings[:20])

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ragcli.documents.split import Splitter, SplitterOptions, describe
from ragcli.types import Block, Chunk, Parsed, SplitDocument, embed_text, place_of

KINDS = ["wordpiece", "bytes", "unigram"]
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

words = st.sampled_from(
    [
        "the",
        "fox",
        "runs.",
        "Green",
        "hills",
        "12,5",
        "日本語。",
        "e.g.",
        "wait!",
        "naïve",
        "x" * 45,
        "🦊🦊",
        "a\u0301",
        "\u200d",
        "[SEP]",
        "ﬁ\x0bne",
        "--",
        "…",
        "ship:",
    ]
)
spaces = st.sampled_from([" ", " ", " ", "  ", "\n", "\n\n", "\t", "\u3000"])
texts = st.lists(st.tuples(words, spaces), min_size=1, max_size=40).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)
paths = st.lists(st.sampled_from(["Guide", "Install", "日本", "A " * 30]), max_size=3).map(tuple)
kinds = st.sampled_from(["paragraph", "item", "code", "quote", "row"])
blocks = st.builds(Block, texts, kinds, paths)
titles = st.none() | texts | st.just("Guide")


@pytest.fixture(scope="session")
def splitter(tokenizers: dict[str, str]) -> Callable[..., Splitter]:
    def build(kind: str = "wordpiece", most: int = 32, overlap: int = 0) -> Splitter:
        return Splitter(SplitterOptions(tokenizers[kind], most, overlap))

    return build


def squeeze(text: str) -> str:
    return "".join(text.split())


def tokens_of(path: str, document: SplitDocument, chunk: Chunk) -> int:
    tokenizer: Any = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return len(tokenizer.encode(embed_text(document.title, chunk.heading, chunk.text)))


@pytest.mark.parametrize("kind", KINDS)
@relaxed
@given(st.lists(blocks, max_size=8), titles, st.integers(16, 90), st.integers(0, 20))
def test_no_chunk_is_longer_than_the_embedder_reads(
    tokenizers: dict[str, str],
    splitter: Callable[..., Splitter],
    kind: str,
    parts: list[Block],
    title: str | None,
    most: int,
    overlap: int,
) -> None:
    document = splitter(kind, most, overlap).split(Parsed(parts, title))
    for chunk in document.chunks:
        assert chunk.tokens == tokens_of(tokenizers[kind], document, chunk)
        assert chunk.tokens <= most
        assert chunk.text == chunk.text.strip()


@pytest.mark.parametrize("kind", KINDS)
@relaxed
@given(st.lists(blocks, max_size=8), st.integers(16, 90))
def test_no_text_is_lost_repeated_or_moved(
    splitter: Callable[..., Splitter], kind: str, parts: list[Block], most: int
) -> None:
    document = splitter(kind, most).split(Parsed(parts))
    told = "".join(squeeze(chunk.text) for chunk in document.chunks)
    assert told == "".join(squeeze(block.text) for block in parts)


@relaxed
@given(st.lists(blocks, max_size=8), titles, st.integers(16, 90), st.integers(0, 20))
def test_the_same_document_gives_the_same_chunks_whatever_came_before(
    splitter: Callable[..., Splitter],
    parts: list[Block],
    title: str | None,
    most: int,
    overlap: int,
) -> None:
    parsed = Parsed(parts, title)
    used = splitter("bytes", most, overlap)
    first = used.split(parsed)
    used.split(Parsed([Block("Something else. " * 50)], "Other"))
    assert used.split(parsed) == first == splitter("bytes", most, overlap).split(parsed)


@relaxed
@given(st.lists(st.tuples(texts, kinds), max_size=6), st.integers(16, 90), st.integers(0, 20))
def test_spans_name_the_source_line_of_every_line(
    splitter: Callable[..., Splitter], parts: list[tuple[str, Any]], most: int, overlap: int
) -> None:
    source: list[str] = []
    made = []
    for text, kind in parts:
        lines = text.split("\n")
        made.append(Block(text, kind, lines=(len(source) + 1, len(source) + len(lines))))
        source += [*lines, ""]
    for chunk in splitter("wordpiece", most, overlap).split(Parsed(made)).chunks:
        at = 0
        for line in chunk.text.split("\n"):
            if line.strip():
                place = place_of(chunk.spans, at, at + len(line))
                assert place.lines is not None and place.lines[0] == place.lines[1]
                assert line.strip() in source[place.lines[0] - 1]
            at += len(line) + 1


@relaxed
@given(st.lists(st.tuples(texts, st.integers(1, 40)), min_size=1, max_size=6))
def test_spans_name_the_page_of_every_word(
    splitter: Callable[..., Splitter], parts: list[tuple[str, int]]
) -> None:
    made = [
        Block(" ".join(f"{word}@{page}@{n}" for word in text.split()) or "-", page=page)
        for n, (text, page) in enumerate(parts)
    ]
    found = 0
    for chunk in splitter("unigram", 40).split(Parsed(made, page_unit="page")).chunks:
        at = 0
        for word in chunk.text.split():
            at = chunk.text.index(word, at)
            if word.count("@") == 2:
                found += 1
                assert place_of(chunk.spans, at, at + 1).page == int(word.split("@")[1])
            at += len(word)
    assert found or not any("@" in block.text for block in made)


levels = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=12)


@relaxed
@given(levels, st.integers(24, 90))
def test_every_heading_is_in_the_path_or_in_the_text_and_never_in_both(
    splitter: Callable[..., Splitter], outline: list[tuple[int, bool]], most: int
) -> None:
    parts: list[Block] = []
    path: tuple[str, ...] = ()
    for n, (level, has_body) in enumerate(outline):
        path = (*path[: level - 1], f"head{n:02}")
        parts.append(Block(path[-1], "heading", path))
        if has_body:
            parts.append(Block(f"body{n:02} " + "the fox runs " * (n * 3), "paragraph", path))
    chunks = splitter("wordpiece", most).split(Parsed(parts)).chunks
    said = " ".join(chunk.text + " " + " ".join(chunk.heading) for chunk in chunks)
    for n, (_, has_body) in enumerate(outline):
        assert f"head{n:02}" in said
        assert f"body{n:02}" in said or not has_body
    for chunk in chunks:
        assert not any(head in chunk.text for head in chunk.heading)


def test_a_heading_without_a_body_is_kept_and_one_with_a_body_stands_in_front_only(
    splitter: Callable[..., Splitter],
) -> None:
    body = "The quick brown fox jumps over the lazy dog while rain falls on green hills."
    parts = [
        Block("Guide", "heading", ("Guide",)),
        Block("Install", "heading", ("Guide", "Install")),
        Block(body, "paragraph", ("Guide", "Install")),
        Block("Licence", "heading", ("Guide", "Licence")),
    ]
    chunks = splitter(most=100).split(Parsed(parts, "Guide")).chunks
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [
        (("Guide", "Install"), body),
        (("Guide",), "Licence"),
    ]


def test_tiny_sections_are_taken_together_under_what_they_share(
    splitter: Callable[..., Splitter],
) -> None:
    def section(path: tuple[str, ...], text: str) -> list[Block]:
        return [Block(path[-1], "heading", path), Block(text, "paragraph", path)]

    parts = [
        *section(("A", "x"), "the fox"),
        *section(("A", "y"), "the dog"),
        *section(("B", "z"), "the sea"),
    ]
    chunks = splitter(most=200).split(Parsed(parts)).chunks
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [
        (("A",), "x\n\nthe fox\n\ny\n\nthe dog"),
        (("B", "z"), "the sea"),
    ]


def test_sections_of_some_size_are_never_mixed(splitter: Callable[..., Splitter]) -> None:
    body = "The quick brown fox jumps over the lazy dog. " * 3
    parts = [Block(body, "paragraph", (name,)) for name in "abc"]
    chunks = splitter(most=200).split(Parsed(parts)).chunks
    assert [chunk.heading for chunk in chunks] == [("a",), ("b",), ("c",)]


def test_a_table_header_stands_above_the_rows_of_every_chunk(
    splitter: Callable[..., Splitter],
) -> None:
    rows = [f"| fox {n} | {n} km |" for n in range(60)]
    header = "| animal | range |"
    made = [Block(row, "row", lines=(n + 3, n + 3), header=header) for n, row in enumerate(rows)]
    before = Block("the quick brown fox.", lines=(1, 1))
    chunks = splitter(most=80).split(Parsed([before, *made])).chunks
    assert len(chunks) > 3
    assert chunks[0].text.startswith(f"the quick brown fox.\n\n{header}\n{rows[0]}\n{rows[1]}")
    for chunk in chunks[1:]:
        assert chunk.text.startswith(f"{header}\n| fox")
        assert chunk.text.count(header) == 1
        assert place_of(chunk.spans, 0, len(header)).lines is None
    assert [row for chunk in chunks for row in chunk.text.split("\n") if "fox " in row[:6]] == rows


def test_a_header_too_wide_to_repeat_is_told_once(splitter: Callable[..., Splitter]) -> None:
    header = " | ".join(f"column {n}" for n in range(40))
    made = [Block(f"row {n} | fox", "row", header=header) for n in range(20)]
    text = " ".join(chunk.text for chunk in splitter(most=60).split(Parsed(made)).chunks)
    assert all(text.count(f"column {n} ") == 1 for n in range(39))
    assert all(f"row {n} |" in text for n in range(20))


def test_parts_of_a_long_text_are_near_equal(splitter: Callable[..., Splitter]) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 24
    chunks = splitter(most=100).split(Parsed([Block(text)])).chunks
    sizes = [chunk.tokens for chunk in chunks]
    assert len(sizes) > 2
    assert max(sizes) - min(sizes) <= 25
    assert all(chunk.text.endswith("dog.") for chunk in chunks)


def test_a_lead_in_stays_with_what_it_leads_to(splitter: Callable[..., Splitter]) -> None:
    long = "The quick brown fox jumps over the lazy dog while rain falls on green hills."
    parts = [Block(long), Block(long), Block("Type this:"), Block("fox --run " * 6, "code")]
    chunks = splitter(most=70).split(Parsed(parts)).chunks
    assert len(chunks) > 1
    assert any("Type this:\n\nfox" in chunk.text for chunk in chunks)


def test_overlap_repeats_whole_sentences_within_a_section_only(
    splitter: Callable[..., Splitter],
) -> None:
    text = " ".join(f"Fox number {n} runs over green hills." for n in range(20))
    made = [Block(text, heading=("A",)), Block(text.replace("Fox", "Dog"), heading=("B",))]
    chunks = splitter(most=60, overlap=20).split(Parsed(made)).chunks
    for one, other in pairwise(chunks):
        first = other.text.partition(". ")[0]
        assert (first in one.text) == (one.heading == other.heading)
    assert {chunk.heading for chunk in chunks} == {("A",), ("B",)}


def test_a_title_alone_is_text(splitter: Callable[..., Splitter]) -> None:
    document = splitter().split(Parsed([], "The lazy dog"))
    assert [chunk.text for chunk in document.chunks] == ["The lazy dog"]
    assert splitter().split(Parsed([Block(" \n ")])).chunks == []


def test_a_title_too_long_for_the_front_is_shortened_there_and_kept_in_the_text(
    splitter: Callable[..., Splitter],
) -> None:
    title = "The quick brown fox " * 40
    document = splitter(most=64).split(Parsed([Block("It runs.")], title))
    assert document.title is not None and document.title.endswith("…")
    told = " ".join(chunk.text for chunk in document.chunks)
    assert squeeze(told) == squeeze(title + "It runs.")


def test_an_overlong_path_keeps_its_innermost_heading(splitter: Callable[..., Splitter]) -> None:
    path = ("The quick brown fox jumps over it", "the lazy dog while rain falls", "hills")
    parts = [Block(path[0], "heading", path[:1]), Block("It runs.", "paragraph", path)]
    (chunk,) = splitter(most=48).split(Parsed(parts)).chunks
    assert chunk.heading[-1] == "hills" and len(chunk.heading) < 3
    assert chunk.text == f"{path[0]}\n\nIt runs."


def test_characters_that_belong_together_are_not_parted(
    splitter: Callable[..., Splitter],
) -> None:
    text = "x\u0301" * 300 + "👩\u200d👩\u200d👧" * 60
    for chunk in splitter("bytes", 40).split(Parsed([Block(text)])).chunks:
        assert chunk.text[0] not in "\u0301\u200d" and chunk.text[-1] != "\u200d"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "a" * 500_000,
        "日本語" * 100_000,
        ". " * 100_000,
        "word\n" * 60_000,
        " x" * 150_000,
        "\n" * 500_000 + "x",
        "a" + "\u0301" * 300_000,
        "The fox runs. " * 20_000,
    ],
    ids=lambda text: repr(text[:5]),
)
def test_long_texts_of_any_kind_are_split_in_linear_time(
    splitter: Callable[..., Splitter], text: str
) -> None:
    """A quadratic step would take minutes on each of these."""
    lines = (1, text.count("\n") + 1)
    chunks = splitter("wordpiece", 200).split(Parsed([Block(text, lines=lines)])).chunks
    assert squeeze("".join(chunk.text for chunk in chunks)) == squeeze(text)
    assert max(len(chunk.text) for chunk in chunks) < 200 * 17


def test_the_description_tells_apart_what_gives_other_chunks(tokenizers: dict[str, str]) -> None:
    one, two = tokenizers["wordpiece"], tokenizers["bytes"]
    told = {
        describe(SplitterOptions(path, most, overlap))
        for path in (one, two)
        for most in (64, 256)
        for overlap in (0, 8)
    }
    assert len(told) == 8
    assert not any(one in text for text in told)


def test_the_embedders_own_tokenizer_is_counted_without_its_truncation(minilm: str) -> None:
    text = "Retrieval reads what the splitter wrote, e.g. résumés, 東京 and\ttabs. " * 60
    document = Splitter(SplitterOptions(minilm, 256)).split(Parsed([Block(text)], "A title"))
    sizes = [chunk.tokens for chunk in document.chunks]
    assert sizes == [tokens_of(minilm, document, chunk) for chunk in document.chunks]
    assert 150 < max(sizes) <= 256

"""The sentence that says why a hit is where it is."""

from __future__ import annotations

import pytest

from ragcli.retrieve.explain import why
from ragcli.types import Hit, Span, StoredChunk


def stems(text: str) -> list[str]:
    return [word.strip(".,?").rstrip("s") for word in text.lower().split()]


def hit(**values) -> Hit:
    chunk = StoredChunk(
        key=1, id="i", document=1, ordinal=0, text="The proxy installs itself.",
        heading=("Guide", "Proxies"), spans=(Span(0),), tokens=5, path="/a.md", format="markdown",
        title="Install guide", doc_id=None, page_unit=None, line_unit="line", metadata={},
    )  # fmt: skip
    return Hit(chunk, 0.5, **values)


def test_both_sides_words_copies_and_document():
    found = hit(dense=0.714, dense_rank=1, lexical=9.24, lexical_rank=3, copies=["/b.md"])
    assert why(found, "Install a proxy?", stems, ceiling=20, more=2) == (
        "Number 1 by meaning (cosine 0.71) and number 3 by words (BM25 9.2, 46 % of what the "
        "question's words weigh); “install” in the title, “install”, “proxy” in the text; "
        "stands for 1 near-duplicate; the best of 3 hits in its document."
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dense": 0.5, "dense_rank": 2}, "Number 2 by meaning (cosine 0.50);"),
        ({"dense": 0.5, "lexical": 3.0, "lexical_rank": 1}, "Not among the candidates by meaning"),
        ({"lexical": 3.0, "lexical_rank": 1}, "Number 1 by words (BM25 3.0"),
    ],
)
def test_a_side_that_did_not_find_it(values, words):
    assert why(hit(**values), "proxy", stems, ceiling=6).startswith(words)


def test_no_word_in_common():
    said = why(hit(dense=0.5, dense_rank=1), "unrelated", stems, ceiling=0)
    assert said.endswith("no word of the question occurs in it.")


def test_many_words_are_cut_and_counted():
    chunk_words = " ".join(f"w{number}" for number in range(12))
    found = hit(lexical=1.0, lexical_rank=1)
    object.__setattr__(found.chunk, "text", chunk_words)
    assert "“w7” and 4 more in the text" in why(found, chunk_words, stems, ceiling=2)

"""Searching real collections: modes, filters, duplicates, documents, warnings, odd questions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ragcli.index.collection import Collection
from ragcli.retrieve.filters import parse
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import BATCH, search, search_many
from ragcli.settings import Retrieval, Settings


def ask(library, question, **options):
    return search(library.ready(), lambda: library.embedder, question, RetrievalOptions(**options))


def names(result):
    return [Path(hit.chunk.path).name for hit in result.hits]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_every_mode_finds_the_one_that_says_it(garden, mode):
    result = ask(garden, "when are tulips planted in autumn", mode=mode)
    assert names(result)[0] == "tulips.md"
    assert result.warnings == []
    assert set(result.timings_ms) == {"embed", "lexical", "dense", "total"}


def test_the_settings_of_a_run_are_the_defaults_here_too():
    assert RetrievalOptions.of(Retrieval()) == RetrievalOptions()


def test_scores_are_the_documented_sum_and_raw_scores_are_kept(garden):
    collection = garden.ready()
    question = "water for roses"
    ceiling = collection.lexical.ceiling(question)
    result = ask(garden, question, top_k=20, dense_weight=0.3)
    assert len(result.hits) >= 5
    for hit in result.hits:
        words = (hit.lexical or 0) / ceiling
        assert hit.score == pytest.approx(0.3 * max(hit.dense or 0, 0) + 0.7 * words, abs=1e-6)


def test_a_hit_of_one_side_has_its_exact_score_on_the_other(garden):
    vector = garden.embedder.encode(["water"], query=True)[0]
    one = ask(garden, "water", candidates=1, top_k=1)
    every = ask(garden, "water", candidates=50, top_k=20)
    assert one.hits[0].score == pytest.approx(every.hits[0].score)
    exact = dict(garden.collection.dense.search(vector, 20))
    words = garden.collection.lexical.scores("water", list(exact))
    for hit in every.hits:
        assert hit.dense == pytest.approx(exact[hit.chunk.key], abs=1e-3)
        assert hit.lexical == pytest.approx(words.get(hit.chunk.key), abs=1e-4)


def test_more_hits_only_add_to_the_end(garden):
    some = ask(garden, "water and salt", top_k=2)
    more = ask(garden, "water and salt", top_k=7)
    assert [hit.chunk.key for hit in more.hits[:2]] == [hit.chunk.key for hit in some.hits]
    assert [hit.score for hit in more.hits] == sorted((h.score for h in more.hits), reverse=True)


def test_min_score_drops_what_scores_less(garden):
    every = ask(garden, "tulips in autumn", top_k=20)
    least = every.hits[1].score
    kept = ask(garden, "tulips in autumn", top_k=20, min_score=least)
    assert [hit.score for hit in kept.hits] == [h.score for h in every.hits if h.score >= least]
    assert ask(garden, "tulips in autumn", min_score=1.0).hits == []


def test_filters_come_before_top_k(garden):
    options = {"filter": parse("path:kitchen/**"), "cwd": Path("/"), "candidates": 1, "top_k": 1}
    for mode in ("hybrid", "dense", "lexical"):
        assert names(ask(garden, "roses and water", mode=mode, **options))[0] in (
            "bread.md",
            "soup.txt",
        )
    assert names(ask(garden, "spade", filter=parse("page:3"))) == ["tools.pdf"]
    assert ask(garden, "spade", filter=parse("page:9")).hits == []
    assert ask(garden, "water", filter=parse("path:nowhere/**")).hits == []


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_by_document_gives_each_document_once_at_its_best_chunk(garden, mode):
    question = "prune roses in march with sun and water"
    chunks = ask(garden, question, top_k=20, mode=mode)
    documents = ask(garden, question, top_k=20, mode=mode, by="document")
    assert len(set(names(documents))) == len(documents.hits)
    assert set(names(documents)) == set(names(chunks))
    scores = [hit.score for hit in documents.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in documents.hits:
        own = [other for other in chunks.hits if other.chunk.document == hit.chunk.document]
        assert hit.chunk.key == own[0].chunk.key
        assert hit.dense == max((h.dense for h in own if h.dense is not None), default=None)
        assert hit.lexical == max((h.lexical for h in own if h.lexical is not None), default=None)
        assert hit.score >= own[0].score


def test_a_document_is_worth_its_best_chunk_on_each_side(library):
    library.add("/both.txt", "alpha beta gamma", "delta delta delta delta delta alpha")
    library.embed()
    [chunk, *_] = ask(library, "delta gamma").hits
    [document] = ask(library, "delta gamma", by="document").hits
    assert document.score >= chunk.score


def test_two_hundred_copies_are_one_hit_and_top_k_is_still_full(garden):
    for number in range(200):
        garden.add(f"/copies/{number:03}.txt", "Tulips are planted in autumn, water them.")
    garden.embed()
    result = ask(garden, "tulips planted in autumn water", top_k=4, candidates=10)
    assert len(result.hits) == 4
    [many] = [hit for hit in result.hits if hit.copies]
    assert len(many.copies) == 199
    assert many.chunk.path not in many.copies
    assert len({hit.chunk.text for hit in result.hits}) == 4
    documents = ask(garden, "tulips planted in autumn", top_k=4, candidates=10, by="document")
    assert len(documents.hits) == 4


def test_explained_hits_say_places_scores_and_words(garden):
    garden.add("/copies/roses.md", "Roses need sun and water.", title="Copied")
    garden.embed()
    result = ask(garden, "do roses need water", explain=True, by="document")
    why = result.hits[0].why
    assert why.startswith("Number 1 by meaning (cosine 0.")
    assert "by words (BM25" in why
    assert "“roses” in the title" in why
    assert "“roses” in the headings" in why
    assert "“need”, “water” in the text" in why or "“roses”, “need”, “water” in the text" in why
    assert "stands for 1 near-duplicate" in why
    assert ask(garden, "do roses need water").hits[0].why == ""
    for mode in ("dense", "lexical"):
        assert ask(garden, "water", mode=mode, explain=True).hits[0].why


def test_an_empty_collection_says_so(library):
    result = ask(library, "anything")
    assert result.hits == []
    assert "empty" in result.warnings[0]
    assert library.embedder.calls == []


def test_without_vectors_words_alone_answer_and_it_is_said(library):
    library.add("/a.txt", "Tulips are planted in autumn.")
    result = ask(library, "tulips")
    assert names(result) == ["a.txt"]
    assert "0 % of chunks have vectors yet" in result.warnings[0]
    assert result.hits[0].dense is None
    assert library.embedder.calls == []
    dense = ask(library, "tulips", mode="dense")
    assert dense.hits == []
    assert "cannot be found by meaning" in dense.warnings[0]


def test_a_chunk_without_a_vector_is_found_by_its_words(library):
    for number in range(9):
        library.add(f"/{number}.txt", f"Sentence number {number} about nothing much.")
    library.add("/late.txt", "The ornithopter landed.")
    library.embed(limit=9)
    result = ask(library, "ornithopter")
    assert names(result)[0] == "late.txt"
    assert result.warnings == [
        "90 % of chunks have vectors yet: the others are found by words only. "
        "Run ragcli ingest to finish."
    ]


@pytest.mark.parametrize("question", ["", "  \n", "?!…", "--", "🎉"])
def test_a_question_without_words_has_no_hits_and_a_reason(garden, question):
    result = ask(garden, question)
    assert result.hits == []
    assert result.warnings == ["The question has no words to look for."]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_a_question_of_ten_thousand_characters(garden, mode):
    result = ask(garden, "tulips autumn " * 700 + "water", mode=mode)
    assert result.hits
    cut = [warning for warning in result.warnings if "longer than the embedder reads" in warning]
    assert len(cut) == (mode != "lexical")


@pytest.mark.parametrize(
    "question",
    ['"unclosed', "a AND OR NOT (", "title:x", "\x00null", "\udcff", "ÄÖ 漢字 ไทย", "*" * 99 + "a"],
)
def test_no_text_is_a_syntax_error(garden, question):
    assert isinstance(ask(garden, question).hits, list)


def test_a_batch_equals_single_questions_and_embeds_many_at_a_time(garden):
    questions = ["tulips", "", "bread and salt", "?"] + [f"water {n}" for n in range(BATCH)]
    garden.embedder.calls.clear()
    options = RetrievalOptions()
    many = list(search_many(garden.ready(), lambda: garden.embedder, questions, options))
    assert garden.embedder.calls == [BATCH - 2, 4]
    for question, result in zip(questions, many, strict=True):
        alone = ask(garden, question)
        assert [hit.chunk.key for hit in result.hits] == [hit.chunk.key for hit in alone.hits]
        assert np.allclose([h.score for h in result.hits], [h.score for h in alone.hits])


def test_a_question_of_unknown_words_scores_low(garden):
    known = ask(garden, "tulips planted in autumn").hits[0].score
    unknown = ask(garden, "zyzzyva planted quuxly frobnicated").hits[0].score
    assert unknown < known / 2


def test_a_damaged_dense_index_is_said_and_searched_all_the_same(garden):
    garden.collection.repair()
    expected = ask(garden, "tulips planted in autumn")
    [file] = garden.collection.directory.glob("dense*")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with Collection.open(
        garden.collection.directory.parents[1], "default", Settings()
    ) as collection:
        result = search(
            collection, lambda: garden.embedder, "tulips planted in autumn", RetrievalOptions()
        )
    assert [hit.chunk.key for hit in result.hits] == [hit.chunk.key for hit in expected.hits]
    assert any("built anew" in warning for warning in result.warnings)


def test_lexical_mode_opens_no_vectors_and_loads_no_embedder(garden):
    collection = garden.ready()
    collection.close()
    with Collection.open(collection.directory.parents[1], "default", Settings()) as again:
        result = search(again, _no_embedder, "tulips", RetrievalOptions(mode="lexical"))
        assert again._indexes._dense is None
    assert names(result) == ["tulips.md"]


def _no_embedder():
    raise AssertionError("no vector is needed")

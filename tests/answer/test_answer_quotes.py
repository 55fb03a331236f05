"""Answers from hits made by hand: verbatim, in place, together with what belongs to them, short."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import hit

from ragcli.answer.candidates import candidates
from ragcli.answer.features import WITH_VECTORS, WORDING, WORDS_ONLY, features
from ragcli.answer.model import calibration
from ragcli.answer.score import FOUND, score
from ragcli.answer.words import question
from ragcli.types import Span

MILL = (
    "The Okam mill stands by the river Ula.\nIt was built in 1790 by Ragna Holt.\n\n"
    "It grinds:\n\n- wheat,\n- rye,\n- oats on Mondays.\n\n"
    "| Flour | Price |\n| Wheat | 12 |\n| Rye | 15 |\n\n"
    "To book a visit, run this command:\n\nmill book --day monday"
)
BRIDGE = "The bridge was opened in 1902. Its arch is forty metres wide."


def test_quotes_are_verbatim_and_cited_where_they_stand(ask):
    found = ask("When was the mill built?", hit(MILL, title="Okam mill"), hit(BRIDGE, 2, score=0.3))
    assert found.status == "answered"
    assert "1790" in found.text
    for citation in found.citations:
        start = citation.chunk.text.index(citation.quote)
        assert citation.place == citation.chunk.place(start, start + len(citation.quote))
    assert found.citations[0].place.lines == (1, 2)


def test_a_sentence_with_a_pronoun_comes_with_its_antecedent(ask):
    found = ask("Who built the mill by the river Ula?", hit(MILL))
    assert found.text.startswith(
        "The Okam mill stands by the river Ula. It was built in 1790 by Ragna Holt. [1]"
    )


def test_an_item_comes_with_its_lead_in(ask):
    found = ask("Which grain is ground, oats?", hit(MILL), min_confidence=0.0)
    quoted = " ".join(citation.quote for citation in found.citations)
    assert "It grinds:" in quoted
    assert "- oats on Mondays." in quoted


def test_a_row_comes_with_its_header(ask):
    found = ask(
        "What is the price of rye flour?", hit(MILL, title="Prices of flour"), min_confidence=0.0
    )
    assert "| Rye | 15 |" in found.text
    assert "| Flour | Price |" in found.text


def test_a_row_that_names_its_columns_comes_without_the_header(ask):
    records = "tool; days\ntool: jigsaw; days: 3\ntool: plane; days: 7\ntool: sander; days: 2"
    found = ask("How many days is the jigsaw lent?", hit(records, format="csv"), min_confidence=0.0)
    assert found.citations[0].quote.startswith("tool: jigsaw; days: 3")


def test_code_comes_with_the_sentence_that_announces_it(ask):
    found = ask("Which command books a visit?", hit(MILL), min_confidence=0.0)
    assert "To book a visit, run this command:" in found.text
    assert "mill book --day monday\n[1]" in found.text


def test_the_page_is_that_of_the_quote_not_of_the_chunk(ask):
    text = "The north dock is closed. The south dock opens at seven in the morning."
    spans = (Span(0, 4, "iv", None), Span(26, 5, "v", None))
    found = ask("When does the south dock open?", hit(text, spans=spans, format="pdf"))
    assert [citation.place.page for citation in found.citations] == [5]


def test_what_two_hits_both_say_is_said_once(ask):
    first = hit("Parcels are sent from the depot in Lyon every Monday.", 1)
    second = hit("Parcels are sent from the depot in Lyon every monday.", 2, score=0.59)
    found = ask("Where are parcels sent from?", first, second)
    assert len(found.citations) == 1
    assert found.citations[0].chunk.key == 1


def test_markers_number_the_citations(ask):
    found = ask(
        "What is known about the mill and the bridge?",
        hit(MILL),
        hit(BRIDGE, 2),
        min_confidence=0.0,
    )
    assert [citation.n for citation in found.citations] == list(range(1, len(found.citations) + 1))
    for citation in found.citations:
        assert found.text.count(f"[{citation.n}]") == 1
        assert 0 <= citation.score <= 1


def test_no_hits_no_answer(ask):
    found = ask("When was it built?")
    assert (found.status, found.text, found.confidence) == ("not_found", None, 0.0)
    assert found.reason == "No passage matches the question."


@pytest.mark.parametrize("text", ["", " ", "\n\n", "---", "| |", "?", "a"])
def test_hits_with_next_to_no_text(ask, text):
    assert ask("When was it built?", hit(text)).status == "not_found"


@pytest.mark.parametrize("words", ["", "?", "   ", "🙂", "'", "a " * 3000])
def test_odd_questions(ask, words):
    found = ask(words, hit(MILL))
    assert found.status in ("answered", "not_found")


def test_the_reason_names_what_no_hit_mentions(ask):
    found = ask("What is the salary of the astronaut?", hit(MILL), hit(BRIDGE, 2))
    assert found.status == "not_found"
    assert found.reason == "The nearest passages do not mention: salary, astronaut."


def test_text_without_spaces_is_quoted_by_sentence(ask):
    text = "図書館は九時に開く。閉館時間は午後五時です。休館日は月曜日です。"
    found = ask("閉館時間は何時ですか", hit(text), min_confidence=0.0, max_quotes=1)
    assert found.citations[0].quote == "閉館時間は午後五時です。"


def test_min_confidence_decides(ask):
    asked = "When was the mill built?"
    confidence = ask(asked, hit(MILL)).confidence
    assert ask(asked, hit(MILL), min_confidence=confidence - 0.01).status == "answered"
    assert ask(asked, hit(MILL), min_confidence=min(confidence + 0.01, 1.0)).status == "not_found"


def test_max_quotes_bounds_the_answer(ask):
    hits = [hit(f"Gate {n} of the port opens at {n} o'clock.", n, score=0.6) for n in range(1, 8)]
    found = ask("When do the gates of the port open?", *hits, max_quotes=1, min_confidence=0.0)
    assert len(found.citations) == 1


def test_the_same_question_has_the_same_answer(ask):
    runs = [ask("When was the mill built?", hit(MILL), hit(BRIDGE, 2)) for _ in range(3)]
    assert len({(run.text, run.confidence) for run in runs}) == 1


def test_line_ends_of_the_source_do_not_break_a_sentence(ask):
    found = ask("When was the mill built?", hit(MILL), min_confidence=0.0)
    assert "Ula. It was" in found.text
    assert "Ula.\nIt was" in found.citations[0].quote


class Directions:
    """An embedder of this test: one direction a word, so that cosines are word overlap."""

    def __init__(self):
        self.texts = 0

    def embed_documents(self, texts):
        self.texts += len(texts)
        return [self._vector(text).tolist() for text in texts]

    def embed_query(self, text):
        return self._vector(text).tolist()

    @staticmethod
    def _vector(text):
        vector = np.zeros(97, np.float32)
        for word in text.lower().split():
            vector[sum(map(ord, word)) % 97] += 1
        return vector


def test_hits_without_vectors_are_compared_by_sentence_all_the_same():
    asked = question("When was the mill built?")
    one = hit(MILL, dense=None)
    scores = score(asked, [one], candidates([one]), Directions())
    assert len(scores.odds) == len(candidates([one]))
    assert np.isfinite(scores.odds).all()


def test_of_very_many_sentences_only_the_likeliest_are_embedded():
    text = "\n\n".join(f"Sentence number {n} speaks of nothing." for n in range(400))
    one = hit(text + "\n\nThe mill was built in 1790.")
    embedder = Directions()
    asked = question("When was the mill built?")
    found = candidates([one])
    scores = score(asked, [one], found, embedder)
    assert embedder.texts < len(found) / 2
    assert found[int(np.argmax(scores.odds))].text == "The mill was built in 1790."


def test_features_are_finite_for_any_mode():
    asked = question("When was the mill built in 1790 by Ragna Holt?")
    for scores in (
        {},
        {"dense": None},
        {"lexical": None},
        {"dense": None, "lexical": None, "score": 0.0},
    ):
        hits = [hit(MILL, **scores), hit(BRIDGE, 2, **scores)]
        rows = features(asked, hits, candidates(hits), None)
        assert rows.shape == (len(candidates(hits)), len(WORDS_ONLY))
        assert np.isfinite(rows).all()


@pytest.mark.parametrize("with_vectors", [True, False])
def test_the_calibration_fits_the_features(with_vectors):
    fitted = calibration(with_vectors)
    assert fitted.sentence.inputs == (WITH_VECTORS if with_vectors else WORDS_ONLY)
    assert fitted.found.inputs == (*FOUND, *WORDING)
    assert 0 < fitted.threshold < 1
    for network in (fitted.sentence, fitted.found):
        assert (network.scale > 0).all()
        assert network.layers[0][0].shape[0] == len(network.inputs)
        assert network.layers[-1][0].shape[1] == 1


def test_a_header_alone_is_never_the_answer(ask):
    found = ask(
        "price of flour", hit("| Flour | Price |\n| Wheat | 12 |\n| Rye | 15 |"), min_confidence=0.0
    )
    assert found.text != "| Flour | Price | [1]"


def test_numbering_is_untouched_by_brackets_of_the_document(ask):
    found = ask("When was the dam built?", hit("The dam was built in 1931.[7] It holds the lake."))
    assert found.citations[0].quote.startswith("The dam was built in 1931.[7]")
    assert found.text.endswith("[1]")

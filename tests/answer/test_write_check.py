"""The check of sentences: what it catches and what it lets stand, on sentences written by hand."""

from __future__ import annotations

import json

import pytest
from handmade import GOLDEN, hit

from ragcli.answer.check import FILE, check, weights
from ragcli.answer.claims import Claim
from ragcli.answer.evidence import Evidence
from ragcli.answer.sight import WITH_VECTORS, WORDING
from ragcli.answer.words import question

SET = json.loads((GOLDEN / "claims.json").read_text(encoding="utf-8"))
PASSAGES = SET["passages"]


def verdict(claim, embedder=None, **options):
    shown = [PASSAGES[name] for name in claim["passages"]]
    hits = [
        hit(one["text"], n, title=one["title"], heading=one["heading"])
        for n, one in enumerate(shown, 1)
    ]
    evidence = Evidence(hits, question(claim["question"]), embedder)
    return check(evidence, Claim(claim["said"], tuple(claim["cited"])), **options)


def test_the_set_holds_as_many_good_sentences_as_bad_ones():
    assert len(SET["claims"]) > 70
    assert sum(claim["supported"] for claim in SET["claims"]) * 2 == len(SET["claims"])


@pytest.mark.parametrize("with_vectors", [True, False])
def test_most_sentences_written_by_hand_are_judged_right(embedder, with_vectors):
    judge = embedder[0] if with_vectors else None
    right = {True: 0, False: 0}
    for claim in SET["claims"]:
        right[claim["supported"]] += verdict(claim, judge).supported == claim["supported"]
    half = len(SET["claims"]) / 2
    assert right[True] / half >= 0.7, "good sentences are marked"
    assert right[False] / half >= 0.6, "bad sentences are let stand"


@pytest.mark.parametrize("name", sorted(PASSAGES))
def test_what_stands_in_a_passage_word_for_word_is_supported(embedder, name):
    text = PASSAGES[name]["text"]
    sentence = " ".join(text.split("\n\n")[0].split(". ")[0].split()).removesuffix(".") + "."
    claim = {"question": "What does it say?", "passages": [name], "said": sentence, "cited": [1]}
    for judge in (embedder[0], None):
        assert verdict(claim, judge).supported, sentence


def test_a_figure_or_name_that_is_nowhere_decides_whatever_the_threshold():
    claim = {
        "question": "Who founded the line?", "passages": ["ferry", "study"], "cited": [1],
        "said": "The Marlow ferry line was founded in 1887 by Edith Brown, a shipbuilder's daughter.",
    }  # fmt: skip
    found = verdict(claim, least=0.0)
    assert not found.supported and "does not name Brown" in found.reason
    claim["said"] = claim["said"].replace("Brown", "Crane").replace("1887", "1878")
    assert "does not give 1878" in verdict(claim, least=0.0).reason


def test_what_only_another_passage_says_is_not_supported():
    claim = {
        "question": "How long may I borrow tools?", "passages": ["door", "tools"], "cited": [1],
        "said": "Hand tools may be taken home for seven days.",
    }  # fmt: skip
    assert not verdict(claim).supported
    assert verdict({**claim, "cited": [2]}).supported
    assert verdict({**claim, "cited": [1, 2]}).supported
    uncited = verdict({**claim, "cited": []})
    assert uncited.supported and {piece.one.hit for piece in uncited.rests_on} == {1}


def test_the_fitted_numbers_fit_what_is_seen():
    assert "fitted on" in json.loads(FILE.read_text())["provenance"]
    assert weights(True).network.inputs == WITH_VECTORS
    assert weights(False).network.inputs == WORDING

"""Fusion: properties that hold for any scores, and the cases at the edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.retrieve.fusion import coverage, fuse, ranks

KEYS = st.integers(min_value=1, max_value=50)
COSINES = st.dictionaries(KEYS, st.floats(min_value=-1, max_value=1), max_size=20)
WORDS = st.dictionaries(KEYS, st.floats(min_value=0, max_value=60), max_size=20)
WEIGHTS = st.floats(min_value=0, max_value=1)
CEILINGS = st.floats(min_value=0, max_value=100)


def shuffled(scores: dict[int, float], order: list[int]) -> dict[int, float]:
    keys = list(scores)
    return {keys[at]: scores[keys[at]] for at in order}


@given(st.data(), COSINES, WORDS, CEILINGS, WEIGHTS)
def test_order_of_the_input_does_not_matter(data, dense, lexical, ceiling, weight):
    again = [
        shuffled(side, data.draw(st.permutations(range(len(side))))) for side in (dense, lexical)
    ]
    assert fuse(dense, lexical, ceiling=ceiling, dense_weight=weight) == fuse(
        *again, ceiling=ceiling, dense_weight=weight
    )


@given(COSINES, WORDS, CEILINGS, WEIGHTS)
def test_every_key_once_best_first_within_the_scale(dense, lexical, ceiling, weight):
    fused = fuse(dense, lexical, ceiling=ceiling, dense_weight=weight)
    assert sorted(hit.key for hit in fused) == sorted(dense.keys() | lexical.keys())
    assert all(0 <= hit.score <= 1 for hit in fused)
    assert [(-hit.score, hit.key) for hit in fused] == sorted((-h.score, h.key) for h in fused)
    assert all(hit.dense == dense.get(hit.key) for hit in fused)
    assert all(hit.lexical == lexical.get(hit.key) for hit in fused)


@given(COSINES, WORDS, CEILINGS, WEIGHTS, KEYS, st.floats(0, 1), st.floats(0, 10))
def test_better_on_a_side_is_never_worse_fused(dense, lexical, ceiling, weight, key, more, words):
    def score(cosines: dict[int, float], bm25: dict[int, float]) -> float:
        fused = fuse(cosines, bm25, ceiling=ceiling, dense_weight=weight)
        return next(hit.score for hit in fused if hit.key == key)

    before = score({key: 0.0, **dense}, {key: 0.0, **lexical})
    raised = {**dense, key: dense.get(key, 0.0) + more}
    assert score(raised, {key: 0.0, **lexical}) >= before
    assert score({key: 0.0, **dense}, {**lexical, key: lexical.get(key, 0.0) + words}) >= before


@given(COSINES, WORDS, CEILINGS, WEIGHTS)
def test_a_score_does_not_depend_on_the_other_hits(dense, lexical, ceiling, weight):
    whole = fuse(dense, lexical, ceiling=ceiling, dense_weight=weight)
    for hit in whole:
        alone = fuse(
            {k: v for k, v in dense.items() if k == hit.key},
            {k: v for k, v in lexical.items() if k == hit.key},
            ceiling=ceiling,
            dense_weight=weight,
        )
        assert alone == [hit]


def test_both_sides_empty():
    assert fuse({}, {}, ceiling=5, dense_weight=0.5) == []
    assert fuse(None, None, ceiling=5, dense_weight=0.5) == []


def test_a_key_that_one_side_lacks_counts_as_nothing_there():
    dense, both = fuse({1: 0.8, 2: 0.8}, {2: 5.0}, ceiling=10, dense_weight=0.5)[::-1]
    assert (dense.key, dense.score, dense.lexical) == (1, pytest.approx(0.4), None)
    assert (both.key, both.score, both.lexical) == (2, pytest.approx(0.65), 5.0)


def test_a_side_that_was_not_asked_leaves_the_whole_score_to_the_other():
    [hit] = fuse({7: 0.8}, None, ceiling=0, dense_weight=0.3)
    assert (hit.score, hit.dense, hit.lexical) == (pytest.approx(0.8), 0.8, None)
    [hit] = fuse(None, {7: 6.0}, ceiling=8, dense_weight=0.3)
    assert (hit.score, hit.dense, hit.lexical) == (pytest.approx(0.75), None, 6.0)


def test_equal_scores_are_ordered_by_key():
    fused = fuse({3: 0.5, 1: 0.5, 2: 0.5}, {}, ceiling=1, dense_weight=1)
    assert [hit.key for hit in fused] == [1, 2, 3]


def test_cosines_below_zero_count_as_zero_but_are_kept():
    [hit] = fuse({1: -0.3}, {}, ceiling=1, dense_weight=0.5)
    assert (hit.score, hit.dense) == (0, -0.3)


@given(st.floats(0, 100), st.floats(0, 100))
def test_coverage_is_a_share(score, ceiling):
    assert 0 <= coverage(score, ceiling) <= 1


def test_a_question_of_unknown_words_has_no_coverage():
    assert coverage(0.0, 0.0) == 0


def test_ranks_start_at_one_and_break_ties_by_key():
    assert ranks([(5, 0.2), (9, 0.7), (4, 0.2)]) == {9: 1, 4: 2, 5: 3}

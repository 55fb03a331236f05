"""The measures equal those of other libraries, and the paired tests behave as their theory says."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ragcli.errors import UsageError
from ragcli.evaluate.metrics import Measure, per_question
from ragcli.evaluate.paired import compare, interval

Run = dict[str, dict[str, float]]
Qrels = dict[str, dict[str, int]]


def tied_run(seed: int) -> tuple[Run, Qrels]:
    """Scores with many ties, graded relevance, some relevant documents that are never found."""
    dice = random.Random(seed)
    run, qrels = {}, {}
    for question in range(25):
        documents = [f"d{number}" for number in range(dice.randint(1, 40))]
        run[f"q{question}"] = {name: float(dice.randint(0, 5)) for name in documents}
        relevant = dice.sample([*documents, "x", "y"], dice.randint(1, min(6, len(documents))))
        qrels[f"q{question}"] = {name: dice.randint(1, 3) for name in relevant}
    return run, qrels


def ranked(run: Run) -> dict[str, list[str]]:
    """In the order in which trec_eval breaks ties: by name, the last first."""
    return {
        question: [
            name
            for name, _ in sorted(scores.items(), key=lambda one: (one[1], one[0]), reverse=True)
        ]
        for question, scores in run.items()
    }


NAMES = ("nDCG@10", "Recall@5", "Recall@100", "MRR", "MAP", "Hit@3", "Precision@5")
MEASURES = [Measure.named(name) for name in (*NAMES, "MRR@10", "MAP@10")]


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_trec_eval_with_its_own_order_of_ties(seed: int) -> None:
    import pytrec_eval

    run, qrels = tied_run(seed)
    theirs = pytrec_eval.RelevanceEvaluator(
        qrels, {"ndcg_cut", "recall", "recip_rank", "map", "success", "P"}
    )
    ours = per_question(ranked(run), qrels, MEASURES)
    known = ("ndcg_cut_10", "recall_5", "recall_100", "recip_rank", "map", None, "P_5")
    for question, values in theirs.evaluate(run).items():
        for name, key in zip(NAMES, known, strict=True):
            if key is not None:
                assert ours[name][question] == pytest.approx(values[key])


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_scikit_learn(seed: int) -> None:
    from sklearn.metrics import average_precision_score, ndcg_score

    run, qrels = tied_run(seed)
    ours = per_question(ranked(run), qrels, MEASURES)
    for question, order in ranked(run).items():
        names = [*order, *sorted(qrels[question].keys() - set(order))]
        if len(names) < 2:
            continue
        grades = np.array([qrels[question].get(name, 0) for name in names])
        scores = np.arange(len(names), 0, -1.0)
        missing = np.isin(names, list(qrels[question].keys() - set(order)))
        if not missing.any():
            assert ours["MAP"][question] == pytest.approx(
                average_precision_score(grades > 0, scores)
            )
        if len(order) >= 10 or not missing.any():
            theirs = ndcg_score([grades], [scores], k=10, ignore_ties=True)
            assert ours["nDCG@10"][question] == pytest.approx(theirs)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_sentence_transformers(seed: int) -> None:
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    run, qrels = tied_run(seed)
    order = ranked(run)
    questions = sorted(run)
    # Its nDCG has no grades.
    flat = {question: dict.fromkeys(grades, 1) for question, grades in qrels.items()}
    evaluator = InformationRetrievalEvaluator(
        dict.fromkeys(questions, ""), {"d0": ""}, {q: set(flat[q]) for q in questions},
        mrr_at_k=[10], ndcg_at_k=[10], accuracy_at_k=[3], precision_recall_at_k=[5], map_at_k=[10],
    )  # fmt: skip
    hits = [
        [{"corpus_id": name, "score": -float(at)} for at, name in enumerate(order[question])]
        for question in evaluator.queries_ids
    ]
    theirs = evaluator.compute_metrics(hits)
    ours = per_question(order, flat, MEASURES)
    means = {name: np.mean(list(values.values())) for name, values in ours.items()}
    assert means["nDCG@10"] == pytest.approx(theirs["ndcg@k"][10])
    assert means["MRR@10"] == pytest.approx(theirs["mrr@k"][10])
    assert means["Hit@3"] == pytest.approx(theirs["accuracy@k"][3])
    assert means["Recall@5"] == pytest.approx(theirs["recall@k"][5])
    assert means["Precision@5"] == pytest.approx(theirs["precision@k"][5])


def test_equal_to_ranx() -> None:
    ranx = pytest.importorskip("ranx", reason="ranx is not installed: pip install ranx")
    run, qrels = tied_run(7)
    order = ranked(run)
    scored = {
        question: {name: float(len(names) - at) for at, name in enumerate(names)}
        for question, names in order.items()
    }
    keys = ["ndcg@10", "recall@5", "recall@100", "mrr", "map", "hit_rate@3", "precision@5"]
    theirs = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(scored), keys)
    ours = per_question(order, qrels, MEASURES)
    for name, key in zip(NAMES, keys, strict=True):
        assert np.mean(list(ours[name].values())) == pytest.approx(theirs[key]), name


def test_a_question_that_found_nothing_counts_zero() -> None:
    values = per_question({"a": ["x"]}, {"a": {"x": 1}, "b": {"y": 1}}, MEASURES)
    assert all(found == {"a": 1.0, "b": 0.0} for name, found in values.items() if "P" not in name)
    assert per_question({}, {"a": {"x": 1}}, MEASURES[:1]) == {"nDCG@10": {"a": 0.0}}


def test_measures_by_name() -> None:
    assert str(Measure.named(" ndcg@7 ")) == "nDCG@7"
    for name in ("nDCG", "F1@3", "Recall@0", "", "Recall@x"):
        with pytest.raises(UsageError, match="no measure"):
            Measure.named(name)


def questions(values: np.ndarray) -> dict[str, float]:
    return {str(at): float(value) for at, value in enumerate(values)}


def test_a_clear_difference_has_its_verdict_both_ways() -> None:
    random = np.random.default_rng(1)
    a = random.random(200) * 0.8
    b = np.clip(a + 0.1 + random.normal(0, 0.05, 200), 0, 1)
    better, worse = compare(questions(a), questions(b)), compare(questions(b), questions(a))
    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert better.difference == pytest.approx(-worse.difference)
    assert better.interval[0] < better.difference < better.interval[1]
    assert compare(questions(a), questions(a)).p == 1


def test_the_randomisation_test_equals_all_sign_flips() -> None:
    from itertools import product

    gaps = np.array([0.3, -0.1, 0.25, 0.4, 0.05, -0.2, 0.35, 0.15])
    sums = [abs(np.dot(signs, gaps)) for signs in product((1, -1), repeat=len(gaps))]
    exact = np.mean(np.array(sums) >= abs(gaps.sum()) - 1e-9)
    found = compare(questions(np.zeros(8)), questions(gaps))
    assert found.p == pytest.approx(exact, abs=0.015)


def test_there_is_seldom_a_verdict_where_nothing_differs() -> None:
    random = np.random.default_rng(3)
    verdicts = [
        compare(questions(random.random(60)), questions(random.random(60))).verdict
        for _ in range(100)
    ]
    assert sum(verdict != "no difference that this set can show" for verdict in verdicts) <= 12


def test_the_interval_covers_the_mean_and_needs_little_memory_for_many() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        low, high = interval(questions(random.beta(2, 1, 100)))
        covered += low <= 2 / 3 <= high
    assert covered >= 52
    low, high = interval(questions(random.random(20_000)))
    assert 0.49 < low < high < 0.51

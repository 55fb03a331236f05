"""How the default fusion was chosen: a grid on questions that no figure is reported on.

    python benchmarks/choose_fusion.py --scifact DIR --squad DIR [--data DIR]

asks both indexes of real collections for the candidates of SciFact's training questions and of
SQuAD dev questions, and computes nDCG@10 over documents for every way of fusing and every weight.
Collections are ingested through the command line into --data and kept there. See question_sets.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import save, table
from question_sets import Questions, scifact, squad
from retrieval import SQUAD_QUESTIONS, ragcli

from ragcli.index.collection import Collection
from ragcli.retrieve.sides import complete, dense_side, lexical_side
from ragcli.settings import Settings

WEIGHTS = [round(0.05 * step, 2) for step in range(1, 20)]
DEPTH = 100


@dataclass(frozen=True, slots=True)
class Case:
    """The candidates of one question as arrays (n,): exact scores on both sides, who found them."""

    cosine: np.ndarray
    bm25: np.ndarray
    found_dense: np.ndarray
    found_lexical: np.ndarray
    ceiling: float
    documents: np.ndarray
    relevant: frozenset[int]
    ideal: float


Fuse = Callable[[Case, float], np.ndarray]
Grid = dict[str, dict[str, list[float]]]
"""nDCG@10 for each set, fusion and weight."""


def coverage(case: Case, weight: float) -> np.ndarray:
    """The cosine, and BM25 as a share of its theoretical maximum."""
    share = case.bm25 / case.ceiling if case.ceiling else case.bm25
    return weight * np.maximum(case.cosine, 0) + (1 - weight) * share


def largest(case: Case, weight: float) -> np.ndarray:
    """The cosine, and BM25 as a share of the largest in the list."""
    return weight * case.cosine + (1 - weight) * case.bm25 / max(case.bm25.max(), 1e-9)


def both_largest(case: Case, weight: float) -> np.ndarray:
    """Both as shares of the largest in the list, with theoretical minimum 0."""
    cosine = case.cosine / max(case.cosine.max(), 1e-9)
    return weight * cosine + (1 - weight) * case.bm25 / max(case.bm25.max(), 1e-9)


def saturated(case: Case, weight: float) -> np.ndarray:
    """The cosine, and BM25 squashed as x / (x + 20)."""
    return weight * case.cosine + (1 - weight) * case.bm25 / (case.bm25 + 20)


def min_max(case: Case, weight: float) -> np.ndarray:
    """Both scaled to the range of what their side found; a hit that a side missed gets 0 there."""
    return _own(case, weight, lambda x: (x - x.min()) / max(np.ptp(x), 1e-9), 0.0)


def z_score(case: Case, weight: float) -> np.ndarray:
    """Both in deviations from the mean of what their side found; the lowest of it where missed."""
    return _own(case, weight, lambda x: (x - x.mean()) / max(x.std(), 1e-9), None)


def z_score_exact(case: Case, weight: float) -> np.ndarray:
    """The z-score over all candidates, with the exact score where a side missed one."""
    parts = [(x - x.mean()) / max(x.std(), 1e-9) for x in (case.cosine, case.bm25)]
    return weight * parts[0] + (1 - weight) * parts[1]


def reciprocal_rank(case: Case, weight: float) -> np.ndarray:
    """Reciprocal rank fusion (Cormack et al. 2009) with k = 60, weighted."""
    return weight * _reciprocal(case.cosine, case.found_dense) + (1 - weight) * _reciprocal(
        case.bm25, case.found_lexical
    )


FUSIONS: dict[str, Fuse] = {
    fusion.__name__: fusion
    for fusion in (
        coverage,
        largest,
        both_largest,
        saturated,
        min_max,
        z_score,
        z_score_exact,
        reciprocal_rank,
    )
}


def _own(
    case: Case, weight: float, scale: Callable[[np.ndarray], np.ndarray], missing: float | None
) -> np.ndarray:
    parts = []
    for values, found in ((case.cosine, case.found_dense), (case.bm25, case.found_lexical)):
        scaled = np.zeros(len(values))
        if found.any():
            scaled[found] = scale(values[found])
            scaled[~found] = scaled[found].min() if missing is None else missing
        parts.append(scaled)
    return weight * parts[0] + (1 - weight) * parts[1]


def _reciprocal(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    order = np.lexsort((np.arange(len(values)), -np.where(found, values, -np.inf)))
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    return np.where(found, 1 / (60 + ranks), 0)


def by_document(case: Case, scores: np.ndarray) -> np.ndarray:
    """The ten best documents, each worth its best chunk."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(case.documents[order], return_index=True)
    return case.documents[order][np.sort(first)][:10]


def by_sides(case: Case, fuse: Fuse, weight: float) -> np.ndarray:
    """The ten best documents, each worth the best cosine and the best BM25 of its chunks."""
    documents, place = np.unique(case.documents, return_inverse=True)
    cosine, bm25 = np.full(len(documents), -1.0), np.zeros(len(documents))
    np.maximum.at(cosine, place, case.cosine)
    np.maximum.at(bm25, place, case.bm25)
    every = np.ones(len(documents), bool)
    merged = Case(cosine, bm25, every, every, case.ceiling, documents, case.relevant, case.ideal)
    return by_document(merged, fuse(merged, weight))


def ndcg(case: Case, top: np.ndarray) -> float:
    """nDCG@10 with binary relevance."""
    gains = [1 / np.log2(rank + 2) for rank, key in enumerate(top) if int(key) in case.relevant]
    return float(sum(gains) / case.ideal)


def mean(cases: list[Case], fuse: Fuse, weight: float) -> float:
    """nDCG@10 averaged over the questions."""
    return float(np.mean([ndcg(case, by_document(case, fuse(case, weight))) for case in cases]))


def load(data: Path, questions: Questions, depth: int) -> list[Case]:
    """Candidates of every question, from a collection that is ingested when it is not there."""
    from platformdirs import user_cache_path

    from ragcli.embedders import build

    settings = Settings(offline=True)
    if not data.exists():
        ragcli(data, "ingest", str(questions.corpus), "--quiet")
    embedder = build(
        settings.embedder, user_cache_path("ragcli", appauthor=False), True, on_progress=None
    )
    vectors = embedder.encode(list(questions.texts.values()), query=True)
    collection = Collection.open(data, "default", settings)
    rows = collection.ledger.query(
        "SELECT c.key, c.document, d.doc_id FROM chunks c JOIN documents d ON d.id = c.document"
    )
    document_of = {key: document for key, document, _ in rows}
    ids = {name: document for _, document, name in rows}
    return [
        _case(
            collection,
            text,
            vector,
            depth,
            document_of,
            frozenset(ids[name] for name in questions.relevant[id]),
        )
        for (id, text), vector in zip(questions.texts.items(), vectors, strict=True)
    ]


def _case(
    collection: Collection,
    text: str,
    vector: np.ndarray,
    depth: int,
    document_of: dict[int, int],
    relevant: frozenset[int],
) -> Case:
    dense = dense_side(collection, vector, depth, None)
    lexical = lexical_side(collection, text, depth, None)
    complete(collection, text, vector, dense, lexical)
    keys = sorted(dense.scores.keys() | lexical.scores.keys())
    return Case(
        np.array([dense.scores.get(key, 0.0) for key in keys]),
        np.array([lexical.scores.get(key, 0.0) for key in keys]),
        np.array([key in dense.ranks for key in keys]),
        np.array([key in lexical.ranks for key in keys]),
        lexical.ceiling,
        np.array([document_of[key] for key in keys]),
        relevant,
        sum(1 / np.log2(rank + 2) for rank in range(min(len(relevant), 10))),
    )


def main() -> None:
    """Compute the grid and write results/choose_fusion.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scifact", type=Path, required=True, metavar="DIR")
    parser.add_argument("--squad", type=Path, required=True, metavar="DIR")
    parser.add_argument("--data", type=Path, default=Path(".ragcli-fusion"), metavar="DIR")
    arguments = parser.parse_args()
    sets = [scifact(arguments.scifact, "train"), squad(arguments.squad, SQUAD_QUESTIONS)]
    cases = {
        questions.name: load(arguments.data / questions.corpus.parent.name, questions, DEPTH)
        for questions in sets
    }
    grid = {
        name: {
            fused: [mean(some, fuse, weight) for weight in WEIGHTS]
            for fused, fuse in FUSIONS.items()
        }
        for name, some in cases.items()
    }
    print(save("choose_fusion", {"weights": WEIGHTS, "grid": grid}, page(grid, cases)).read_text())


def page(grid: Grid, cases: dict[str, list[Case]]) -> str:
    """The grid for people."""
    legend = "\n".join(f"- `{name}`: {fuse.__doc__}" for name, fuse in FUSIONS.items())
    header = ("fusion", "weight", *grid, "mean", "plateau")
    parts = [
        "# Choosing the fusion",
        f"`python benchmarks/choose_fusion.py`: nDCG@10 over documents, {DEPTH} candidates a side.",
        legend,
        "The dense weight that is best on the mean of the sets, and those within .005 of it:",
        table(header, summary(grid)),
    ]
    for name, some in cases.items():
        parts += [f"## {name}, {len(some)} questions", weights_table(grid[name])]
    parts += ["## What a document is worth (`coverage`)", documents_table(cases)]
    return "\n\n".join(parts)


def summary(grid: Grid) -> list[tuple[str | float, ...]]:
    """For each fusion its best weight, what it reaches there, and how far it may be off."""
    rows: list[tuple[str | float, ...]] = []
    for name in FUSIONS:
        average = np.mean([values[name] for values in grid.values()], axis=0)
        best = int(average.argmax())
        near = [weight for weight, value in zip(WEIGHTS, average, strict=True)
                if value > average[best] - 0.005]  # fmt: skip
        reached = [values[name][best] for values in grid.values()]
        plateau = f"{near[0]} to {near[-1]}"
        rows.append((name, str(WEIGHTS[best]), *reached, float(average[best]), plateau))
    return sorted(rows, key=lambda row: row[-2], reverse=True)


def weights_table(grid: dict[str, list[float]]) -> str:
    """nDCG@10 by fusion and dense weight."""
    shown = range(1, len(WEIGHTS), 2)
    rows = [(name, *(values[at] for at in shown)) for name, values in grid.items()]
    return table(("dense weight", *(str(WEIGHTS[at]) for at in shown)), rows)


def documents_table(cases: dict[str, list[Case]]) -> str:
    """Whether a document should be judged by one chunk, or by the best of all on each side."""
    rows = []
    for name, some in cases.items():
        for weight in (0.3, 0.4, 0.5):
            sides = [ndcg(case, by_sides(case, coverage, weight)) for case in some]
            rows.append((name, str(weight), mean(some, coverage, weight), float(np.mean(sides))))
    return table(("set", "dense weight", "its best chunk", "its best cosine and BM25"), rows)


if __name__ == "__main__":
    main()

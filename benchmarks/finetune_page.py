"""The page of finetune.py: a line for each run, means over seeds, and what was measured beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from machine import table
from scipy import stats

RUNS = ("full", "adapter", "squad", "squad-adapter")
MADE = ("documents", "documents-adapter")
KINDS = ("dense", "hybrid", "seen", "unseen", "general")
HEADER = (
    "data",
    "seed",
    "steps",
    "part",
    "questions",
    "before",
    "after",
    "95 %",
    "verdict",
    "kept",
)
INTRODUCTION = """# Fine-tuning the embedder

`python benchmarks/finetune.py`: nDCG@10 on held-out questions in the full corpus, searched as the command
line searches. `full` and `adapter` train on SciFact's train questions and are judged on its test questions,
less those that are trained on too. `squad` trains on 10,000 questions of SQuAD's train articles and is
judged on questions of its dev articles, in the passages of all of them. `documents` trains on questions
made from the corpus alone and is judged on the set's real questions. `unseen` questions share no document
with a training question. A line is one seed; its interval is over questions. The steps are what
`--max-steps` or early stopping left of the recipe's.
"""


def page(found: dict[str, Any], missing: Sequence[str]) -> str:
    """The results for people."""
    series = list(_series(found))
    rows = [row for name, runs in series for row in _rows(name, runs)]
    text = INTRODUCTION
    text += f"\n{table(HEADER, rows)}\n" if rows else ""
    means = [row for name, runs in series for row in _means(name, runs)]
    if means:
        header = ("data", "part", "seeds", "before", "after", "gain", "95 % over seeds")
        text += f"\nMeans over seeds; the interval is Student's t.\n\n{table(header, means)}\n"
    text += _fit(found["fit"]) if "fit" in found else ""
    text += _speed(found["speed"]) if "speed" in found else ""
    text += "".join(
        f"\n{name}, seed {run['seed']}: {run['note']}\n"
        for name, runs in series
        for run in runs
        if "note" in run
    )
    return text + (f"\nNot measured here yet: {', '.join(missing)}.\n" if missing else "")


def _series(found: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name in RUNS:
        if name in found:
            yield name, found[name]
    for name in MADE:
        for corpus, recipes in found.get(name, {}).items():
            for recipe, runs in recipes.items():
                yield f"{name}: {corpus}, {recipe}", runs


def _rows(name: str, runs: Iterable[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """A line for each measurement of each run."""
    for run in runs:
        proof = run.get("proof", {})
        steps = run.get("training", {}).get("steps", "-")
        for kind in KINDS:
            if kind in proof:
                figures = proof[kind]
                low, high = figures["interval"]
                yield (
                    name,
                    run["seed"],
                    steps,
                    kind,
                    figures["questions"],
                    figures["before"],
                    figures["after"],
                    f"{low:+.3f} to {high:+.3f}",
                    figures["verdict"],
                    "yes" if run["kept"] else "no",
                )
        if not proof:
            yield (name, run["seed"], steps, "-", 0, "", "", "", run["reason"], "no")


def _means(name: str, runs: Sequence[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for kind in KINDS:
        pairs = [
            (run["proof"][kind]["before"], run["proof"][kind]["after"])
            for run in runs
            if kind in run.get("proof", {})
        ]
        if len(pairs) > 1:
            before, after = np.array(pairs).T
            gains = after - before
            half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
            yield (
                name,
                kind,
                len(pairs),
                float(before.mean()),
                float(after.mean()),
                f"{gains.mean():+.3f}",
                f"{gains.mean() - half:+.3f} to {gains.mean() + half:+.3f}",
            )


def _fit(fit: dict[str, Any]) -> str:
    return (
        f"\nA map for questions at {fit['vectors']:,} stored vectors and {fit['pairs']:,} pairs"
        f" is fitted in {fit['seconds']:.1f} s\n(a rotation of random vectors: nDCG@10"
        f" {fit['before']:.3f} before, {fit['after']:.3f} after).\n"
    )


def _speed(found: dict[str, Any]) -> str:
    """The turns against the plain script, in words."""
    said = []
    for name in ("ragcli", "plain"):
        rate, memory, quality = (
            float(np.median([turn[key] for turn in found[name]]))
            for key in ("examples_per_second", "peak_bytes", "ndcg")
        )
        said.append(
            f"{rate:.1f} examples a second, {memory / 1e9:.2f} GB at the peak, development nDCG@10"
            f" {quality:.3f}"
        )
    return (
        f"\nTraining on SciFact, batch {found['batch']}, {found['steps']} steps, turns:"
        f" {len(found['plain'])} (development nDCG@10 of the base: {found['base_ndcg']:.3f}).\n"
        f"ragcli: {said[0]}.\nThe plain script: {said[1]}.\n{found['ratio']:.2f} times as many"
        f" examples a second. {found.get('note', '')}\n"
    )

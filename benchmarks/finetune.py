"""What `ragcli finetune-embedder` is worth, measured through the command line.

    python benchmarks/finetune.py --scifact DIR [--squad DIR] [--seeds 1 2 3] [--parts full adapter ...]

Parts: `full` (SciFact's train questions, judged on its test questions in the full corpus),
`adapter` (the same with --mode adapter), `fit` (seconds to fit a map at 100,000 vectors), `squad`
(10,000 train questions of SQuAD, judged on held-out articles), `squad-adapter` (the same with
--mode adapter), `documents` (no questions given, one run for each way to make them), `speed`
(examples a second against finetune_plain.py, in turns).
What is measured is added to results/finetune.json; parts that were not run keep their figures.
See question_sets.py for the sets. Training needs `pip install 'ragcli[finetune]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from machine import RESULTS, save, table

NAME = "finetune"
PARTS = ("full", "adapter", "fit", "squad", "squad-adapter", "documents", "speed")
RECIPES = ("titles", "sentences", "all")
VECTORS, DIMENSION, PAIRS = 100_000, 384, 10_000
PLACES = ("folder", "config", "said")
"""Told with folders of this machine."""
SPEED_BATCH, SPEED_ROUNDS = 64, 2


def tuned(folder: Path, *arguments: str) -> dict[str, Any]:
    """What one run of the command reports."""
    (folder / ".ragcli").mkdir(exist_ok=True)
    (folder / "ragcli.yaml").touch()
    command = [sys.executable, "-m", "ragcli", "finetune-embedder", *arguments, "--json"]
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    told["total_seconds"] = round(time.monotonic() - started, 1)
    return {name: value for name, value in told.items() if name not in PLACES}


def each_seed(seeds: Iterable[int], *arguments: str) -> list[dict[str, Any]]:
    """One run for each seed, each in a folder of its own."""
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as place:
            found.append({"seed": seed, **tuned(Path(place), *arguments, "--seed", str(seed))})
        print(seed, found[-1].get("proof"), flush=True)
    return found


def squad_pairs(folder: Path, target: Path, size: int) -> Path:
    """A sample of the train questions with their passages; the articles are the documents."""
    passages = {
        row["_id"]: row
        for row in map(json.loads, (folder / "passages.jsonl").open(encoding="utf-8"))
    }
    rows = [json.loads(line) for line in (folder / "train.jsonl").open(encoding="utf-8")]
    random.Random(7).shuffle(rows)
    with target.open("w", encoding="utf-8") as file:
        for row in rows[:size]:
            passage = passages[row["passage"]]
            pair = {
                "question": row["question"],
                "context": passage["text"],
                "document": passage["title"],
            }
            file.write(json.dumps(pair) + "\n")
    return target


def documents(corpus: Path, seeds: Iterable[int]) -> dict[str, Any]:
    """No questions given: one run for each way to make them."""
    found: dict[str, Any] = {}
    for recipe in RECIPES:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                (folder / ".ragcli").mkdir()
                command = [sys.executable, "-m", "ragcli", "ingest", str(corpus), "-q"]
                subprocess.run(command, cwd=folder, check=True)
                told = tuned(folder, "--questions", recipe, "--seed", str(seed))
                found.setdefault(recipe, []).append({"seed": seed, **told})
    return found


def fit_seconds() -> dict[str, Any]:
    """Seconds to fit a map at 100,000 stored vectors, and what it undoes of a known rotation."""
    from ragcli.finetune.adapter import fit, ranking_score

    random_ = np.random.default_rng(1)
    stored = random_.normal(size=(VECTORS, DIMENSION)).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    rotation, _ = np.linalg.qr(random_.normal(size=(DIMENSION, DIMENSION)))
    questions = (stored[: PAIRS + 200] @ rotation).astype(np.float32)
    names = [str(at) for at in range(VECTORS)]
    held = range(PAIRS, PAIRS + 100)
    score = ranking_score(questions[list(held)], [{str(at): 1} for at in held], stored, names)
    found = fit(questions[:PAIRS], stored[:PAIRS], score)
    return {
        "vectors": VECTORS,
        "pairs": PAIRS,
        "seconds": round(found.seconds, 2),
        "before": found.base,
        "after": found.best,
    }


def speed(scifact: Path, steps: int | None) -> dict[str, Any]:
    """Our child and the plain script in turns on the same rows: examples a second, memory, quality."""
    from platformdirs import user_cache_path

    from ragcli.embedders import describe
    from ragcli.finetune import conform, training
    from ragcli.finetune.loading import load
    from ragcli.finetune.order import Order
    from ragcli.finetune.split import split
    from ragcli.models.cores import physical_cores
    from ragcli.settings import Embedder

    base = describe(Embedder(), user_cache_path("ragcli", appauthor=False), True).folder
    material = load(scifact)
    parts = split(material, 1)
    turns: dict[str, list[dict[str, Any]]] = {"ragcli": [], "plain": []}
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        rows, held = work / "rows.jsonl", work / "development.json"
        count = training.write_rows(rows, conform.rows(material, parts.train, {}, "mnrl", 0, 1))
        training.write_development(held, material, parts, {}, 1)
        steps = steps or count // SPEED_BATCH
        for _ in range(SPEED_ROUNDS):
            order = Order(
                model="base",
                folder=str(base),
                work=str(work),
                rows=str(rows),
                development=str(held),
                loss="mnrl",
                most_steps=steps,
                batch=SPEED_BATCH,
                evaluations=1,
                threads=physical_cores(),
                shares=[1.0],
            )
            done = training.run(order, lambda _: None)
            turns["ragcli"].append(
                {
                    "examples_per_second": done["examples_per_second"],
                    "peak_bytes": done["peak_bytes"],
                    "ndcg": done["shares"]["1"],
                }
            )
            turns["plain"].append(plain(base, rows, held, steps, work / "plain"))
            print(turns, flush=True)
    rates = {name: [turn["examples_per_second"] for turn in found] for name, found in turns.items()}
    ratios = [ours / theirs for ours, theirs in zip(*rates.values(), strict=True)]
    return {
        **turns,
        "base_ndcg": done["base"],
        "ratio": float(np.median(ratios)),
        "batch": SPEED_BATCH,
        "steps": steps,
    }


def plain(base: Path, rows: Path, held: Path, steps: int, out: Path) -> dict[str, Any]:
    """What the plain script reports."""
    script = str(Path(__file__).with_name("finetune_plain.py"))
    files = [str(base), str(rows), str(held), str(steps), str(SPEED_BATCH), str(out)]
    done = subprocess.run(
        [sys.executable, script, *files],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rows_of(name: str, runs: Iterable[dict[str, Any]]) -> Iterable[tuple[Any, ...]]:
    """A line of the table for each measurement of each run."""
    for run in runs:
        proof = run.get("proof", {})
        for part in ("dense", "hybrid", "seen", "unseen", "general"):
            if part in proof:
                figures = proof[part]
                low, high = figures["interval"]
                yield (
                    name,
                    run["seed"],
                    part,
                    figures["questions"],
                    figures["before"],
                    figures["after"],
                    f"{low:+.3f} to {high:+.3f}",
                    figures["verdict"],
                    "yes" if run["kept"] else "no",
                )
        if not proof:
            yield (name, run["seed"], "-", 0, "", "", "", run["reason"], "no")


def speed_of(found: dict[str, Any]) -> str:
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


def page(found: dict[str, Any]) -> str:
    """The results for people."""
    header = ("data", "seed", "part", "questions", "before", "after", "95 %", "verdict", "kept")
    rows: list[tuple[Any, ...]] = []
    for name in ("full", "adapter", "squad", "squad-adapter"):
        rows += rows_of(name, found.get(name, []))
    for recipe, runs in found.get("documents", {}).items():
        rows += rows_of(f"documents, {recipe}", runs)
    text = (
        "# Fine-tuning the embedder\n\n"
        "`python benchmarks/finetune.py`: nDCG@10 on held-out questions in the full corpus, searched"
        " as the command line searches. `full` and\n`adapter` train on SciFact's train questions and"
        " are judged on its test questions, less those that are trained on too.\n"
        "`unseen` questions share no document with a training question. Each line is one seed.\n\n"
    )
    text += f"{table(header, rows)}\n" if rows else ""
    if "fit" in found:
        fit = found["fit"]
        text += (
            f"\nA map for questions at {fit['vectors']:,} stored vectors and {fit['pairs']:,} pairs"
            f" is fitted in {fit['seconds']:.1f} s\n(a rotation of random vectors: nDCG@10"
            f" {fit['before']:.3f} before, {fit['after']:.3f} after).\n"
        )
    if "speed" in found:
        text += speed_of(found["speed"])
    notes = [
        f"{part}, seed {run['seed']}: {run['note']}"
        for part in ("full", "adapter", "squad", "squad-adapter")
        for run in found.get(part, [])
        if "note" in run
    ]
    text += "".join(f"\n{note}\n" for note in notes)
    missing = [part for part in PARTS if part not in found]
    return text + (f"\nNot measured here yet: {', '.join(missing)}.\n" if missing else "")


def main() -> None:
    """Measure the chosen parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scifact", type=Path, metavar="DIR")
    parser.add_argument("--squad", type=Path, metavar="DIR")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--epochs", default=None, help="Handed on to the command.")
    parser.add_argument("--steps", type=int, help="Of each turn of speed; by default an epoch's.")
    chosen = parser.parse_args()
    kept = RESULTS / f"{NAME}.json"
    found: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    found.pop("machine", None)
    more = ("--epochs", chosen.epochs) if chosen.epochs else ()
    for part in chosen.parts:
        if part == "full" and chosen.scifact:
            found[part] = each_seed(chosen.seeds, str(chosen.scifact.absolute()), *more)
        elif part == "adapter" and chosen.scifact:
            found[part] = each_seed(
                chosen.seeds, str(chosen.scifact.absolute()), "--mode", "adapter"
            )
        elif part == "fit":
            found[part] = fit_seconds()
        elif part in ("squad", "squad-adapter") and chosen.squad:
            with tempfile.TemporaryDirectory() as place:
                data = squad_pairs(chosen.squad, Path(place) / "squad.jsonl", PAIRS)
                mode = ("--mode", "adapter") if part == "squad-adapter" else more
                found[part] = each_seed(chosen.seeds, str(data), *mode)
        elif part == "documents" and chosen.scifact:
            corpus = chosen.scifact.absolute() / "corpus.jsonl"
            found[part] = documents(corpus, chosen.seeds)
        elif part == "speed" and chosen.scifact:
            found[part] = speed(chosen.scifact, chosen.steps)
        save(NAME, found, page(found))
    print((RESULTS / f"{NAME}.md").read_text())


if __name__ == "__main__":
    main()

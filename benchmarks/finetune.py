"""What `ragcli finetune-embedder` is worth, measured through the command line.

    python benchmarks/finetune.py --scifact DIR [--squad DIR] [--seeds 1 2 3] [--parts full adapter ...]

Parts: `full` (SciFact's train questions, judged on its test questions in the full corpus),
`adapter` (the same with --mode adapter), `fit` (seconds to fit a map at 100,000 vectors), `squad`
(10,000 train questions of SQuAD, judged on questions of held-out articles), `squad-adapter` (the
same with --mode adapter), `documents` (no questions given: one run for each corpus and each way
to make them, judged by the real questions), `documents-adapter` (the same with --mode adapter),
`speed` (examples a second against finetune_plain.py, in turns). What is measured is added to
results/finetune.json; parts that were not run keep their figures. `--work DIR` keeps the
collections for another run, and figures of seeds that were not run stay too.
See question_sets.py for the sets. Training needs `pip install 'ragcli[finetune]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from finetune_page import page
from machine import RESULTS, save

NAME = "finetune"
PARTS = (
    "full", "adapter", "fit", "squad", "squad-adapter", "documents", "documents-adapter", "speed"
)  # fmt: skip
RECIPES = ("titles", "sentences", "all")
VECTORS, DIMENSION, PAIRS = 100_000, 384, 10_000
TRAINED = {
    "full": ("scifact", "full"),
    "adapter": ("scifact", "adapter"),
    "squad": ("squad", "full"),
    "squad-adapter": ("squad", "adapter"),
}
"""The set and the mode of each part that trains on labelled data."""
JUDGES = 1000
"""Questions that judge on SQuAD."""
PLACES = ("folder", "config", "said")
"""Told with folders of this machine."""
SPEED_BATCH, SPEED_ROUNDS = 64, 2


def collection(work: Path, name: str, corpus: Path) -> Path:
    """A folder with a collection of this corpus; made unless it is there."""
    folder = work / name
    done = folder / "ingested"
    if not done.exists():
        (folder / ".ragcli").mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "ragcli", "ingest", str(corpus.absolute()), "-q"]
        subprocess.run(command, cwd=folder, check=True)
        done.touch()
    return folder


def each_seed(folder: Path, seeds: Iterable[int], *arguments: str) -> Iterator[dict[str, Any]]:
    """What the command reports for each seed, each from the untouched base."""
    for seed in seeds:
        (folder / "ragcli.yaml").write_text("")
        shutil.rmtree(folder / ".ragcli" / "models", ignore_errors=True)
        command = [sys.executable, "-m", "ragcli", "finetune-embedder", *arguments, "--restart"]
        started = time.monotonic()
        done = subprocess.run(
            [*command, "--seed", str(seed), "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout)
        told["total_seconds"] = round(time.monotonic() - started, 1)
        run = {"seed": seed, **{name: told[name] for name in told if name not in PLACES}}
        print(arguments, seed, run.get("proof"), run["reason"], flush=True)
        yield run


def squad_set(source: Path, target: Path) -> Path:
    """SQuAD as a BEIR folder: a sample of the train articles' questions, and of the dev articles'."""
    (target / "qrels").mkdir(parents=True, exist_ok=True)
    passages = (source / "passages.jsonl").read_text(encoding="utf-8")
    (target / "corpus.jsonl").write_text(passages, encoding="utf-8")
    with (target / "queries.jsonl").open("w", encoding="utf-8") as queries:
        for part, name, size in (("train", "train", PAIRS), ("dev", "test", JUDGES)):
            lines = (source / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
            random.Random(7).shuffle(lines)
            rows = [json.loads(line) for line in lines[:size]]
            queries.writelines(
                json.dumps({"_id": row["_id"], "text": row["question"]}) + "\n" for row in rows
            )
            judged = "".join(f"{row['_id']}\t{row['passage']}\t1\n" for row in rows)
            (target / "qrels" / f"{name}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return target


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


def measured(
    part: str, chosen: argparse.Namespace, work: Path, known: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """(key, figures) as they come, with the `known` of other seeds; none where no data is given."""
    steps = ("--max-steps", str(chosen.max_steps)) if chosen.max_steps else ()
    sets = {}
    if chosen.scifact:
        sets["scifact"] = chosen.scifact.absolute()
    if chosen.squad:
        sets["squad"] = squad_set(chosen.squad, work / "squad-set")
    if part == "fit":
        yield part, fit_seconds()
    elif part == "speed" and chosen.scifact:
        yield part, speed(chosen.scifact, chosen.steps)
    elif part in ("documents", "documents-adapter"):
        mode = ("--mode", "adapter") if part == "documents-adapter" else steps
        done: dict[str, dict[str, list[dict[str, Any]]]] = known.get(part, {})
        for name, data in sets.items():
            folder = collection(work, name, data / "corpus.jsonl")
            for recipe in chosen.recipes:
                options = ("--questions", recipe, "--judge", str(data), *mode)
                runs = done.setdefault(name, {}).setdefault(recipe, [])
                for run in each_seed(folder, chosen.seeds, *options):
                    add(runs, run)
                    yield part, done
    elif part in TRAINED and TRAINED[part][0] in sets:
        name, mode = TRAINED[part]
        folder = collection(work, name, sets[name] / "corpus.jsonl")
        more = ("--mode", mode, *(steps if mode == "full" else ()))
        series = known.get(part, [])
        for run in each_seed(folder, chosen.seeds, str(sets[name]), *more):
            add(series, run)
            yield part, series


def add(runs: list[dict[str, Any]], run: dict[str, Any]) -> None:
    """Put a run in the place of the one with its seed."""
    runs[:] = sorted(
        [*(one for one in runs if one["seed"] != run["seed"]), run], key=lambda one: one["seed"]
    )


def main() -> None:
    """Measure the chosen parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scifact", type=Path, metavar="DIR")
    parser.add_argument("--squad", type=Path, metavar="DIR")
    parser.add_argument("--work", type=Path, metavar="DIR", help="By default a temporary one.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--max-steps", type=int, help="Handed on to the command.")
    parser.add_argument("--steps", type=int, help="Of each turn of speed; by default an epoch's.")
    chosen = parser.parse_args()
    kept = RESULTS / f"{NAME}.json"
    found: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    found.pop("machine", None)
    with tempfile.TemporaryDirectory() as place:
        for part in chosen.parts:
            for key, figures in measured(part, chosen, chosen.work or Path(place), found):
                found[key] = figures
                save(NAME, found, page(found, [name for name in PARTS if name not in found]))
    print((RESULTS / f"{NAME}.md").read_text())


if __name__ == "__main__":
    main()

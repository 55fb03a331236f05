"""Retrieval quality of the program as it is used: ingest and search through the command line.

    python benchmarks/retrieval.py --scifact DIR [--squad DIR]

ingests the corpus into a temporary data directory, asks every test question in each mode with
`ragcli search --batch FILE --jsonl --by document`, and computes nDCG@10, Recall@100 and MRR@10
with ir-measures. See question_sets.py for where the sets come from. Needs the bench packages
(`make bench`); SciFact takes some minutes, SQuAD about four times that.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import RR, R, nDCG
from machine import save, table
from question_sets import Questions, scifact, squad

MODES = ("dense", "lexical", "hybrid")
MEASURES = (nDCG @ 10, R @ 100, RR @ 10)
TOP_K = 100
REFERENCES = (
    ("all-MiniLM-L6-v2, dense (MTEB)", 0.645),
    ("BM25 (BEIR)", 0.679),
    ("reciprocal rank fusion of the two", 0.711),
    ("min-max, dense weight 0.3", 0.731),
    ("z-score, dense weight 0.5", 0.740),
)
SQUAD_QUESTIONS = 2000

Run = dict[str, dict[str, float]]


def ragcli(data: Path, *arguments: str) -> str:
    """Run the command line on a data directory of its own; its standard output."""
    command = [sys.executable, "-m", "ragcli", *arguments, "--data-dir", str(data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def search(data: Path, questions: Questions, mode: str) -> tuple[Run, float]:
    """Scores by question and document, and the seconds that the command took."""
    batch = data / "questions.jsonl"
    lines = (json.dumps({"id": id, "question": text}) for id, text in questions.texts.items())
    batch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = time.perf_counter()
    flags = ("--batch", str(batch), "--jsonl", "--by", "document", "--mode", mode)
    output = ragcli(data, "search", *flags, "--top-k", str(TOP_K))
    seconds = time.perf_counter() - start
    run: Run = {}
    for line in output.splitlines():
        answer = json.loads(line)
        # Equal scores keep the order of the hits: ir-measures would order them by name.
        run[answer["id"]] = {
            hit["doc_id"]: hit["score"] - hit["rank"] * 1e-9 for hit in answer["hits"]
        }
    if len(run) != len(questions.texts):
        raise SystemExit(f"{len(questions.texts)} questions were asked, {len(run)} answered")
    return run, seconds


def measure(run: Run, questions: Questions, only: Iterable[str]) -> dict[str, float]:
    """The measures, averaged over some of the questions."""
    chosen = list(only)
    qrels = {id: dict.fromkeys(questions.relevant[id], 1) for id in chosen}
    found = ir_measures.calc_aggregate(MEASURES, qrels, {id: run[id] for id in chosen})
    return {str(measure): found[measure] for measure in MEASURES}


def groups(questions: Questions, folder: Path | None) -> dict[str, list[str]]:
    """All questions, and for SciFact those with and without a document that training ones share."""
    found = {"all": list(questions.texts)}
    if folder is not None:
        train = scifact(folder, "train").relevant.values()
        known = set().union(*train)
        found["seen"] = [id for id in questions.texts if questions.relevant[id] & known]
        found["unseen"] = [id for id in questions.texts if not questions.relevant[id] & known]
    return found


def benchmark(questions: Questions, folder: Path | None) -> dict[str, Any]:
    """Ingest, search in every mode, measure."""
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        start = time.perf_counter()
        report = json.loads(ragcli(data, "ingest", str(questions.corpus), "--json"))
        seconds = time.perf_counter() - start
        modes: dict[str, Any] = {}
        for mode in MODES:
            run, took = search(data, questions, mode)
            modes[mode] = {
                "seconds": round(took, 1),
                **{
                    name: {"questions": len(ids), **measure(run, questions, ids)}
                    for name, ids in groups(questions, folder).items()
                },
            }
            print(questions.name, mode, modes[mode]["all"], flush=True)
    return {"chunks": report["chunks"], "ingest_seconds": round(seconds, 1), "modes": modes}


def page(results: dict[str, dict[str, Any]]) -> str:
    """The results for people."""
    rows = [
        (name, group, mode, *(figures[group][str(measure)] for measure in MEASURES))
        for name, result in results.items()
        for group in result["modes"]["hybrid"]
        if group != "seconds"
        for mode, figures in result["modes"].items()
    ]
    header = ("set", "questions", "mode", *(str(measure) for measure in MEASURES))
    return (
        "# Retrieval\n\n"
        "`python benchmarks/retrieval.py`: every figure is of the command line, by document, with the "
        "default settings.\nThe settings were chosen on the training questions of SciFact and on SQuAD "
        "dev (see choose_fusion.md); the test\nquestions of SciFact took no part. `unseen` questions "
        "share no relevant document with a training question.\n\n"
        f"{table(header, rows)}\n\n"
        "nDCG@10 on SciFact's test questions elsewhere, same model:\n\n"
        f"{table(('', 'nDCG@10'), REFERENCES)}\n"
    )


def main() -> None:
    """Measure the sets that are given, and write results/retrieval.{json,md}."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scifact", type=Path, required=True, metavar="DIR")
    parser.add_argument("--squad", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    test = scifact(arguments.scifact, "test")
    results = {test.name: benchmark(test, arguments.scifact)}
    if arguments.squad:
        dev = squad(arguments.squad, SQUAD_QUESTIONS)
        results[dev.name] = benchmark(dev, None)
    print(save("retrieval", {"sets": results}, page(results)).read_text())


if __name__ == "__main__":
    main()

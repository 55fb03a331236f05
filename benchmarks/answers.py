"""Answer quality of the program as it is used, and what it does when there is no answer.

    python benchmarks/answers.py --squad DIR [--docs DIR] [--data DIR]

ingests the passages of SQuAD (see answer_sets.py) and asks a sample of the dev questions through
RetrievalQA with the default settings: is the passage among the four hits, does the answer hold an
accepted answer, how long is it. Then the passages of these questions are taken out of the corpus,
it is ingested again, and the same questions are asked: now nothing should be answered. With
--docs, the hand-written questions of docs_questions.jsonl are asked of documentation folders.
Writes results/answers.{json,md,svg}. About ten minutes, most of it embedding.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from answer_sets import Item, also_answers, contains, passages, squad
from chances import auroc, calibration_error, trade_off
from curve import draw
from machine import RESULTS, save, table

from ragcli.answer import Answer
from ragcli.answer.chain import answer
from ragcli.answer.model import calibration
from ragcli.answer.quote import Options
from ragcli.answer.quote import build as build_chain
from ragcli.embedders import build as build_embedder
from ragcli.index.collection import Collection
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.retriever import CollectionRetriever
from ragcli.settings import Settings

LIMITS = np.arange(0.0, 1.0, 0.05)


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered to one question, whatever its confidence."""

    item: Item
    answer: Answer

    @property
    def found(self) -> bool:
        """Whether the passage is among the hits."""
        return any(hit.chunk.doc_id == self.item.passage for hit in self.answer.hits)

    @property
    def right(self) -> bool:
        """Whether the text holds an accepted answer."""
        return contains(self.answer.text or "", self.item.answers)

    @property
    def words(self) -> int:
        """Words of the text, markers not counted."""
        return sum(len(citation.quote.split()) for citation in self.answer.citations)


def ingest(data: Path, corpus: Path) -> None:
    """Bring the collection of a data directory level with a folder, through the command line."""
    command = [sys.executable, "-m", "ragcli", "ingest", str(corpus), "--data-dir", str(data)]
    subprocess.run(command, check=True)


def ask(data: Path, items: Sequence[Item], embedder: Any, *, vectors: bool = True) -> list[Told]:
    """Ask every question with no limit on confidence, so that all limits can be compared."""
    settings = Settings()
    with Collection.open(data, "default", settings) as collection:
        retriever = CollectionRetriever(
            collection=collection,
            embedder=lambda: embedder,
            options=RetrievalOptions.of(settings.retrieval),
        )
        chain = build_chain(Options(min_confidence=0.0), embedder if vectors else None)
        return [Told(item, answer(item.question, retriever, chain)) for item in items]


def split_corpus(folder: Path, items: Sequence[Item], corpus: Path) -> Path:
    """Write the passages as two files; the file of those that the questions are about."""
    asked = {item.passage for item in items}
    corpus.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "passages.jsonl").open(encoding="utf-8") as lines,
        (corpus / "asked.jsonl").open("w", encoding="utf-8") as ours,
        (corpus / "others.jsonl").open("w", encoding="utf-8") as others,
    ):
        for line in lines:
            (ours if json.loads(line)["_id"] in asked else others).write(line)
    return corpus / "asked.jsonl"


def figures(told: Sequence[Told], without: Sequence[Told], limit: float) -> dict[str, Any]:
    """All figures of one way to answer; `limit` is the default least confidence."""
    chances = np.array([one.answer.confidence for one in told])
    absent = np.array([one.answer.confidence for one in without])
    right = np.array([one.right for one in told])
    found = np.array([one.found for one in told])
    everything = np.concatenate([chances, absent])
    labels = np.concatenate([np.ones(len(chances), bool), np.zeros(len(absent), bool)])
    milliseconds = [one.answer.timings_ms["answer"] for one in told]
    return {
        "questions": len(told),
        "recall_at_4": round(float(found.mean()), 4),
        "holds_the_answer": round(float(right.mean()), 4),
        "holds_the_answer_given_recall": round(float(right[found].mean()), 4),
        "mean_words": round(statistics.mean(one.words for one in told), 1),
        "mean_quotes": round(statistics.mean(len(one.answer.citations) for one in told), 2),
        "unanswerable_questions": len(without),
        "auroc_answerable": round(auroc(everything, labels), 4),
        "auroc_passage_found": round(
            auroc(everything, np.concatenate([found, np.zeros(len(absent), bool)])), 4
        ),
        "calibration_error": round(
            calibration_error(everything, np.concatenate([right, np.zeros(len(absent), bool)])), 4
        ),
        "at_default": trade_off(chances, right, absent, [limit])[0],
        "curve": trade_off(chances, right, absent, LIMITS),
        "answer_ms_median": round(statistics.median(milliseconds), 1),
        "answer_ms_95th": round(float(np.percentile(milliseconds, 95)), 1),
    }


def on_docs(data: Path, docs: Path, embedder: Any) -> dict[str, Any]:
    """How the hand-written questions on documentation folders come out, at the default limit."""
    lines = Path(__file__).with_name("docs_questions.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in lines.splitlines()]
    for folder in sorted({row["folder"] for row in rows}):
        ingest(data, docs / folder)
    items = [Item(str(n), row["question"], tuple(row["holds"]), "") for n, row in enumerate(rows)]
    told = ask(data, items, embedder)
    limit = calibration(True).threshold
    given = [one.answer.confidence >= limit for one in told]
    present = [n for n, item in enumerate(items) if item.answers]
    absent = [n for n, item in enumerate(items) if not item.answers]
    return {
        "answerable": len(present),
        "answered": sum(given[n] for n in present),
        "right": sum(given[n] and told[n].right for n in present),
        "unanswerable": len(absent),
        "not_found": sum(not given[n] for n in absent),
        "mean_words": round(statistics.mean(told[n].words for n in present), 1),
        "each": [
            {
                "question": item.question,
                "confidence": round(one.answer.confidence, 3),
                "right": (one.right if item.answers else None) if shown else not item.answers,
            }
            for item, one, shown in zip(items, told, given, strict=True)
        ],
    }


def import_cost() -> float:
    """Seconds that a fresh interpreter takes to import the chain; median of five."""
    code = (
        "import time; start = time.perf_counter();"
        " import ragcli.answer.quote, ragcli.answer.chain; print(time.perf_counter() - start)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    return round(statistics.median(float(run.stdout) for run in runs), 3)


def page(results: dict[str, Any]) -> str:
    """The figures for people."""
    rows = [
        [name, *(results[way][key] for way in ("with_vectors", "words_only"))]
        for name, key in (
            ("passage among the 4 hits", "recall_at_4"),
            ("answer holds an accepted answer", "holds_the_answer"),
            ("the same, where the passage was found", "holds_the_answer_given_recall"),
            ("words of an answer, mean", "mean_words"),
            ("quotes in an answer, mean", "mean_quotes"),
            ("AUROC, answerable against passage taken away", "auroc_answerable"),
            ("AUROC, passage found against not", "auroc_passage_found"),
            (
                "calibration error (half have no answer here, one in three is assumed)",
                "calibration_error",
            ),
            ("milliseconds to answer, median", "answer_ms_median"),
            ("milliseconds to answer, 95th percentile", "answer_ms_95th"),
        )
    ]
    at = results["with_vectors"]["at_default"]
    curve = [list(point.values()) for point in results["with_vectors"]["curve"]]
    text = (
        "# Answers\n\n`python benchmarks/answers.py --squad DIR --docs DIR`\n\n"
        f"{results['with_vectors']['questions']} questions of SQuAD dev (seed fixed) on all 18,896"
        " passages, default settings; then the same questions after their passages were taken out."
        " The answer must hold an accepted answer word for word, case and punctuation aside.\n\n"
        + table(["", "with vectors", "words alone"], rows)
        + f"\n\nAt the default limit of {at['limit']}: {at['answered']:.1%} of the questions are answered,"
        f" {at['right']:.1%} of those rightly; without the passage {at['false']:.1%} are still answered,"
        " with a sentence of a neighbouring passage of the same article.\n\n"
        "![answered against right and false](answers.svg)\n\n"
        + table(["limit", "answered", "right of answered", "answered without the passage"], curve)
        + f"\n\nImporting the chain takes {results['import_s']} s.\n"
    )
    if docs := results.get("docs"):
        text += (
            f"\nOn documentation folders, {docs['answerable'] + docs['unanswerable']} hand-written questions:"
            f" {docs['right']} of {docs['answerable']} answerable ones answered rightly"
            f" ({docs['answered']} answered), {docs['not_found']} of {docs['unanswerable']} others"
            " not answered.\n"
        )
    return text


def main() -> None:
    """Ingest, ask, take away, ask again, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--squad", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--docs", type=Path, help="folder of documentation folders")
    parser.add_argument("--data", type=Path, help="keep collections here for the next time")
    parser.add_argument("--questions", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data = arguments.data or Path(temporary)
        embedder = build_embedder(Settings().embedder, data / "cache", True)
        items = squad(arguments.squad, "dev", arguments.questions)
        gold = passages(arguments.squad)
        asked = split_corpus(arguments.squad, items, data / "corpus")
        ways = {"with_vectors": True, "words_only": False}
        start = time.perf_counter()
        ingest(data, data / "corpus")
        told = {way: ask(data, items, embedder, vectors=vectors) for way, vectors in ways.items()}
        asked.unlink()
        ingest(data, data / "corpus")
        without = {
            way: ask(data, items, embedder, vectors=vectors) for way, vectors in ways.items()
        }
        results: dict[str, Any] = {}
        for way, vectors in ways.items():
            rest = [one for one in without[way] if not _copied(one, gold)]
            results[way] = figures(told[way], rest, calibration(vectors).threshold)
        if arguments.docs:
            results["docs"] = on_docs(data / "docs", arguments.docs, embedder)
        results["import_s"] = import_cost()
        results["minutes"] = round((time.perf_counter() - start) / 60, 1)
    draw(
        RESULTS / "answers.svg",
        results["with_vectors"]["curve"],
        results["with_vectors"]["at_default"],
    )
    print(save("answers", results, page(results)).read_text())


def _copied(one: Told, gold: dict[str, str]) -> bool:
    """Whether a near copy of the passage that was taken away is still among the hits."""
    text = gold[one.item.passage]
    return any(also_answers(hit.chunk.text, one.item, text) for hit in one.answer.hits)


if __name__ == "__main__":
    main()

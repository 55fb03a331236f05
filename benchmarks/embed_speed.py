"""How fast texts are embedded: against the bare ONNX session, and against sentence-transformers.

    python benchmarks/embed_speed.py --corpus corpus.jsonl [--chunks 192] [--rounds 5] [--cache DIR]

`--corpus` is any JSONL file with a `text` in each line, such as a BEIR corpus. All arms take turns
in one run, over the same texts: full chunks of 254 tokens, and passages as they come. The bare
session gets the very batches that `encode` makes, already tokenized; sentence-transformers runs in
a process of its own with its defaults. Also: which `batch_tokens` is best, how near int8 stays to
fp32, and how long one question takes, cold and warm. Writes benchmarks/results/embed_speed.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import save, table

from ragcli.embedders import build, describe
from ragcli.embedders.card import read_card
from ragcli.embedders.onnx import OnnxEncoder, batches
from ragcli.settings import Embedder

FULL = 254
SIZES = (256, 512, 1024, 2048, 4096)
PEER = """
import sys, json, time
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
for line in sys.stdin:
    texts = json.loads(line)
    start = time.perf_counter()
    model.encode(texts)
    print(time.perf_counter() - start, flush=True)
"""
COLD = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from ragcli.embedders import build
from ragcli.settings import Embedder
embedder = build(Embedder(), Path(sys.argv[1]), offline=True)
embedder.embed_query("How high is the tide?")
print(time.perf_counter() - start)
"""


class Peer:
    """sentence-transformers on torch, fp32, in a process of its own; answers with seconds."""

    def __init__(self, folder: Path) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", PEER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def seconds(self, texts: list[str]) -> float:
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(json.dumps(texts) + "\n")
        self.child.stdin.flush()
        return float(self.child.stdout.readline())


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def passages(corpus: Path, count: int) -> list[str]:
    """The first texts of the corpus."""
    found: list[str] = []
    with corpus.open(encoding="utf-8") as stream:
        for line in stream:
            found.append(json.loads(line)["text"])
            if len(found) == count:
                return found
    raise SystemExit(f"{corpus} holds only {len(found)} texts; give --chunks {len(found)}.")


def full_chunks(texts: list[str], count: int) -> list[str]:
    """Texts long enough to fill a chunk: the tokenizer cuts each to the same length."""
    words = " ".join(texts).split()
    step = max(1, (len(words) - 400) // count)
    return [" ".join(words[i * step : i * step + 400]) for i in range(count)]


def bare(encoder: OnnxEncoder, texts: list[str], batch_tokens: int) -> Callable[[], object]:
    """Run the session on the batches that `encode` would make, tokenized beforehand."""
    ids, _ = encoder.reader.read(texts)
    feeds = [
        {"input_ids": np.array([ids[i] for i in batch], dtype=np.int64)}
        for batch in batches([len(row) for row in ids], batch_tokens)
    ]
    return lambda: [encoder.session.run(None, feed) for feed in feeds]


def compare(cache: Path, texts: dict[str, list[str]], rounds: int, peer: Peer) -> dict[str, Any]:
    """Median chunks per second of each arm, and the medians of the ratios within a round."""
    options = Embedder(backend="onnx")
    embedder = build(options, cache, offline=True)
    exact = build(Embedder(backend="onnx", precision="fp32"), cache, offline=True)
    encoder: OnnxEncoder = embedder._encoder  # type: ignore[assignment]
    size = encoder._batch_tokens
    figures: dict[str, Any] = {"batch_tokens": size}
    for name, chunks in texts.items():
        run_bare = bare(encoder, chunks, size)
        arms = {
            "encode": lambda chunks=chunks: timed(lambda: embedder.encode(chunks)),
            "bare session": lambda run=run_bare: timed(run),
            "encode fp32": lambda chunks=chunks: timed(lambda: exact.encode(chunks)),
            "sentence-transformers": lambda chunks=chunks: peer.seconds(chunks),
        }
        for arm in arms.values():
            arm()
        seconds: dict[str, list[float]] = {arm: [] for arm in arms}
        for _ in range(rounds):
            for arm, run in arms.items():
                seconds[arm].append(run())
        figures[name] = _summary(seconds, len(chunks))
        cosines = (embedder.encode(chunks) * exact.encode(chunks)).sum(axis=1)
        figures[name]["int8_cosine"] = {"min": float(cosines.min()), "mean": float(cosines.mean())}
    return figures


def _summary(seconds: dict[str, list[float]], chunks: int) -> dict[str, Any]:
    rates = {arm: chunks / statistics.median(taken) for arm, taken in seconds.items()}
    ratios = {
        arm: statistics.median(
            other / ours for other, ours in zip(taken, seconds["encode"], strict=True)
        )
        for arm, taken in seconds.items()
    }
    return {"chunks_per_s": rates, "encode_is_times_as_fast": ratios}


def sweep(cache: Path, chunks: list[str], rounds: int) -> dict[str, float]:
    """Median chunks per second for each `batch_tokens`, in turns."""
    embedder = build(Embedder(backend="onnx"), cache, offline=True)
    encoder: OnnxEncoder = embedder._encoder  # type: ignore[assignment]
    seconds: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            encoder._batch_tokens = size
            seconds[size].append(timed(lambda: embedder.encode(chunks)))
    return {str(size): len(chunks) / statistics.median(taken) for size, taken in seconds.items()}


def questions(cache: Path, rounds: int) -> dict[str, float]:
    """Milliseconds for one question: in a fresh process with its imports, and in a warm one."""
    cold = []
    for _ in range(rounds):
        command = [sys.executable, "-c", COLD, str(cache)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        cold.append(float(done.stdout) * 1e3)
    embedder = build(Embedder(backend="onnx"), cache, offline=True)
    warm = [
        timed(lambda n=n: embedder.embed_query(f"How high is the tide at station {n}?")) * 1e3
        for n in range(100)
    ]
    return {"cold_ms": statistics.median(cold), "warm_ms": statistics.median(warm)}


def report(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["# Embedding speed", "", "all-MiniLM-L6-v2, chunks per second, medians.", ""]
    for name, title in (("full", "Chunks of 254 tokens"), ("passages", "Passages as they come")):
        part = figures[name]
        rows = [
            [arm, f"{rate:.1f}", f"{part['encode_is_times_as_fast'][arm]:.2f}"]
            for arm, rate in part["chunks_per_s"].items()
        ]
        lines += [f"## {title}", "", table(["arm", "chunks/s", "encode is x times as fast"], rows)]
        near = part["int8_cosine"]
        lines += [
            "",
            f"int8 against fp32: cosine {near['mean']:.4f}, at least {near['min']:.4f}.",
            "",
        ]
    rows = [[size, f"{rate:.1f}"] for size, rate in figures["batch_tokens_sweep"].items()]
    lines += ["## Batch size", "", table(["batch_tokens", "chunks/s"], rows), ""]
    one = figures["question"]
    lines.append(
        f"One question: {one['cold_ms']:.0f} ms in a fresh process with all imports, "
        f"{one['warm_ms']:.1f} ms in a warm one."
    )
    return "\n".join(lines)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", type=Path, help="keeps the converted model between runs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cache = given.cache or Path(temporary)
        info = describe(Embedder(), cache, offline=True)
        assert read_card(info.model, info.folder).max_tokens >= FULL
        natural = passages(given.corpus, given.chunks)
        texts = {"full": full_chunks(natural, given.chunks), "passages": natural}
        figures = compare(cache, texts, given.rounds, Peer(info.folder))
        figures["batch_tokens_sweep"] = sweep(cache, texts["full"], given.rounds)
        figures["question"] = questions(cache, given.rounds)
        print(
            save(
                "embed_speed",
                {"chunks": given.chunks, "rounds": given.rounds, **figures},
                report(figures),
            )
        )


if __name__ == "__main__":
    main()

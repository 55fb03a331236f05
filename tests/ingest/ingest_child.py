"""`python ingest_child.py TOP`: ingests TOP/docs as the `desk` fixture does, a line of output for each step."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from desk import Desk, Silence, WordEmbedder, desk_at


class Loud(Silence):
    def phase(self, name: str, total: int | None) -> None:
        print(name, flush=True)

    def advance(self, steps: int = 1, note: str = "") -> None:
        print("step", flush=True)


class Slow(WordEmbedder):
    def encode(self, texts: list[str], *, query: bool = False) -> np.ndarray:
        time.sleep(0.05)
        return super().encode(texts, query=query)


def main(top: str) -> None:
    desk: Desk = desk_at(Path(top))
    desk.progress, desk.embedder = Loud(), Slow()
    report = desk.ingest()
    print(json.dumps({"interrupted": report.interrupted, "seen": report.seen}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Hostile and odd files, each with what a sane program does: text comes out, or a reason, in bounded time.

The files come from a generator, a program that fills a folder and writes an EXPECT.tsv (file, what
it is, what is expected) into it; RAGCLI_HOSTILE_TOOL names it.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from desk import Desk, desk_at

from ragcli.documents.limits import held_mb
from ragcli.index.collection import Collection
from ragcli.ingest.report import IngestReport
from ragcli.settings import Settings

TOOL = os.environ.get("RAGCLI_HOSTILE_TOOL")
pytestmark = pytest.mark.skipif(not TOOL, reason="RAGCLI_HOSTILE_TOOL names no generator of files")

TIMEOUT_S = 10
MEMORY_MB = 1000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = desk_at(tmp_path_factory.mktemp("hostile"))
    subprocess.run([sys.executable, str(TOOL), str(desk.folder)], check=True, capture_output=True)
    (desk.folder / "EXPECT.tsv").rename(desk.top / "EXPECT.tsv")
    limits = {"hidden": True, "timeout_s": TIMEOUT_S, "memory_mb": MEMORY_MB}
    desk.settings = Settings(ingest=limits)
    return desk


@pytest.fixture(scope="module")
def expected(desk: Desk) -> list[tuple[str, str]]:
    """Path below the folder, and what is expected of it."""
    with (desk.top / "EXPECT.tsv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    deep = next(desk.folder.rglob("leaf.md")).relative_to(desk.folder)
    pairs = []
    for name, _, outcome in rows:
        path = str(deep) if "/.../" in name else name
        pairs.append((path.replace("\\t", "\t").replace("\\n", "\n"), outcome))
    assert len(pairs) > 50
    return pairs


class Watch(threading.Thread):
    """Keeps the most memory that any parsing child of this process was seen to hold."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            held = [held_mb(child) for child in parsing_children()]
            self.peak_mb = max([self.peak_mb, *held])


def parsing_children() -> list[int]:
    lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return [int(child) for child in " ".join(lists).split() if parses(child)]


def parses(process: str) -> bool:
    try:
        return b"ragcli.documents" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def report(desk: Desk, watch: Watch) -> IngestReport:
    started = time.monotonic()
    watch.start()
    report = desk.ingest()
    watch.over.set()
    watch.join()
    assert time.monotonic() - started < 30 * TIMEOUT_S
    return report


@pytest.fixture
def collection(desk: Desk, report: IngestReport):
    with desk.collection() as collection:
        yield collection


def test_every_file_has_its_outcome(
    desk: Desk, report: IngestReport, expected: list[tuple[str, str]]
) -> None:
    refused = dict([*report.skipped, *report.failed])
    read = set(desk.names())
    wrong = []
    for name, outcome in expected:
        reason = refused.get(str(desk.folder / name), refused.get(str(desk.folder / name) + "/"))
        if (name in read) == (reason is not None):
            wrong.append(f"{name!r}: in none or both of read and refused")
        if outcome.startswith("ok") and "or skip" not in outcome and reason is not None:
            wrong.append(f"{name!r}: {outcome}, but refused: {reason}")
        if outcome.startswith("skip") and " or " not in outcome and reason is None:
            wrong.append(f"{name!r}: {outcome}, but read")
    # The superuser may read everything.
    assert [line for line in wrong if os.geteuid() or "noperm" not in line] == []


def test_expected_words_are_found(
    desk: Desk, report: IngestReport, expected: list[tuple[str, str]]
) -> None:
    words = [(name, outcome[4:].strip()) for name, outcome in expected if outcome[:4] == "ok: "]
    assert words
    for name, word in words:
        assert name in desk.search(word), (name, word)


def test_nothing_that_is_not_text_is_in_the_text(collection: Collection) -> None:
    text = "\n".join(row[0] for row in collection.ledger.query("SELECT text FROM chunks"))
    for unwanted in ("\ufeff#", "\x1b", "\0", "EVIL", "root:x:0:0"):
        assert unwanted not in text, unwanted


def test_no_file_did_anything(report: IngestReport) -> None:
    assert report.seen > 100
    assert list(Path("/tmp").glob("PWNED*")) == []
    assert list(Path.cwd().glob("PWNED*")) == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc to watch children in")
def test_memory_was_bounded(report: IngestReport, watch: Watch) -> None:
    assert report.seen
    assert 50 < watch.peak_mb < MEMORY_MB + 600


def test_another_run_reads_nothing(desk: Desk, report: IngestReport) -> None:
    desk.progress.phases.clear()
    again = desk.ingest()
    assert "Reading" not in desk.progress.phases
    assert (again.seen, again.failed) == (report.seen, report.failed)
    assert sorted(again.skipped) == sorted(report.skipped)

"""A run that is interrupted or killed anywhere: what was committed stays, and the next run completes it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desk import Desk

from ragcli.errors import StorageError

CHILD = Path(__file__).with_name("ingest_child.py")
FILES = 40


def fill(desk: Desk) -> None:
    for number in range(FILES):
        desk.write(f"{number % 7}/{number:03}.md", f"# Part {number}\n\n" + f"word{number} " * 300)


def start(desk: Desk) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(desk.top)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def heed_interrupts() -> None:
    """A shell ignores SIGINT for what it starts in the background, perhaps these very tests."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stop(child: subprocess.Popen[str], lines: int, pause: float, how: signal.Signals) -> str:
    """Send a signal after so many lines of output; returns the rest of the output."""
    assert child.stdout is not None
    for _ in range(lines):
        if not child.stdout.readline():
            break
    time.sleep(pause)
    child.send_signal(how)
    rest = child.stdout.read()
    child.wait()
    return rest


def parsers_of(process: int) -> list[int]:
    """Living processes that run the parsing child for this parent."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(status[1]) == process and status[0] != "Z":
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("lines", [2, FILES + 20, 2 * FILES + 4])
def test_interrupt_keeps_what_is_done(lines: int, desk: Desk) -> None:
    fill(desk)
    child = start(desk)
    assert child.stdout is not None
    rest = stop(child, lines, 0.0, signal.SIGINT)
    report = json.loads(rest.splitlines()[-1])
    assert (child.returncode, report["interrupted"]) == (0, True)
    assert parsers_of(child.pid) == []
    done = len(desk.names())
    assert done == report["seen"]
    later = desk.ingest()
    assert (later.unchanged, later.added) == (done, FILES - done)
    desk.ingest(name="clean")
    assert desk.content() == desk.content("clean")


@pytest.mark.parametrize("seed", range(3))
def test_kill_anywhere_and_go_on(seed: int, desk: Desk) -> None:
    fill(desk)
    chance = random.Random(seed)
    for _ in range(2):
        child = start(desk)
        stop(child, chance.randint(1, 2 * FILES + 10), chance.random() * 0.1, signal.SIGKILL)
        assert desk.search("word1 word2 word3") is not None
        (desk.folder / f"0/{7 * chance.randint(0, FILES // 7 - 1):03}.md").write_text(
            f"changed {chance.random()}"
        )
    final = desk.ingest()
    assert final.seen == FILES
    desk.ingest(name="clean")
    assert desk.content() == desk.content("clean")
    with desk.collection() as collection:
        assert collection.ledger.check() == []
        assert [state for _, state, _ in collection.health()] == ["ok", "ok", "ok"]


def test_a_write_that_fails_loses_nothing(desk: Desk) -> None:
    fill(desk)
    most = 150_000
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}));"
        f"sys.path.insert(0, {str(CHILD.parent)!r}); import ingest_child; ingest_child.main(sys.argv[1])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(desk.top)], capture_output=True, text=True
    )
    assert run.returncode != 0
    assert StorageError.__name__ in run.stderr.splitlines()[-1]
    before = len(desk.names())
    report = desk.ingest()
    assert (report.unchanged, report.added) == (before, FILES - before)
    desk.ingest(name="clean")
    assert desk.content() == desk.content("clean")
    assert os.path.getsize(desk.top / "data/collections/default/ledger.db") > most

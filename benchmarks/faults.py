"""Does it survive? Kills, a full disk, two writers, readers beside a writer, a read-only disk, damaged files.

    python benchmarks/faults.py [--only kill,disk,...] [--kills 50]

Every fault has a control: the same trials with one guard switched off, which have to fail, or the
check would prove nothing. As root, full and read-only disks are real file systems in memory; else
the size of files is limited and permissions are taken away. Writes
benchmarks/results/faults.{json,md}; with --only the figures of the other cases are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import fault_corpus
from fault_child import Job, WordVectors, open_collection
from machine import save, table

from ragcli.embedders import describe
from ragcli.errors import RagcliError
from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import search
from ragcli.settings import Settings

CHILD = str(Path(__file__).parent / "fault_child.py")
TABLES = ("files", "documents", "chunks", "vectors")
KNOWN = ("CollectionBusy", "StorageError")
State = dict[str, list[tuple[Any, ...]]]


@dataclass
class Row:
    """One fault: how many trials held, and how many of the control's were caught."""

    fault: str
    trials: int = 0
    held: int = 0
    guard: str = ""
    control_trials: int = 0
    caught: int = 0
    notes: list[str] = field(default_factory=list)

    def count(self, problems: list[str], *, control: bool) -> None:
        if control:
            self.control_trials += 1
            self.caught += bool(problems)
            return
        self.trials += 1
        self.held += not problems
        self.notes += problems[:1]


class Bench:
    """Folders, a tokenizer, and the states that a collection may be in."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.docs = top / "docs"
        info = describe(Settings().embedder, top / "cache", True)
        self.tokenizer = str(info.tokenizer)
        fault_corpus.first(self.docs)
        self.base = top / "base"
        self.must(self.job(self.base))
        self.before = state_of(self.base)
        fault_corpus.second(self.docs)
        self.clean = top / "clean"
        self.must(self.job(self.clean))
        self.after = state_of(self.clean)
        self.rows = rows_of(self.clean)

    def job(self, data: Path, action: str = "ingest", **faults: Any) -> Job:
        return Job(action, str(self.docs), str(data), self.tokenizer, **faults)

    def start(self, job: Job) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, CHILD, json.dumps(asdict(job))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, child: subprocess.Popen[str]) -> dict[str, Any]:
        """The outcome that a child printed last; what it died of where it printed none."""
        out, errors = child.communicate(timeout=300)
        lines = [line for line in out.splitlines() if line.startswith("{")]
        if lines:
            return dict(json.loads(lines[-1]))
        return {"died": child.returncode, "errors": errors.strip().splitlines()[-1:]}

    def run(self, job: Job) -> dict[str, Any]:
        return self.finish(self.start(job))

    def must(self, job: Job) -> dict[str, Any]:
        outcome = self.run(job)
        if not outcome.get("done"):
            raise SystemExit(f"a run without a fault failed: {outcome}")
        return outcome

    def copy(self, source: Path | None = None) -> Path:
        data = self.top / "trial"
        shutil.rmtree(data, ignore_errors=True)
        if source is not None:
            shutil.copytree(source, data, copy_function=shutil.copy2)
        return data

    def halfway(self, data: Path, before: State) -> list[str]:
        """What is wrong after a fault: every document is whole, old or new, and can be searched."""
        try:
            with open_collection(str(data)) as collection:
                problems = collection.ledger.check()
                keys = [key for key, _ in collection.lexical.search("harbour", 50)]
                if len(collection.ledger.chunks(keys)) != len(keys):
                    problems.append("a hit leads to no chunk")
            return problems + self.compare(state_of(data), before)
        except RagcliError as error:
            return [f"cannot be opened: {error.message}"]

    def beside(self, data: Path) -> list[str]:
        """What is wrong while another process writes: a search finds, and no document is missing."""
        try:
            with open_collection(str(data)) as collection:
                found = search(collection, WordVectors, "harbour tide", RetrievalOptions())
            problems = [] if found.hits else ["nothing is found"]
            return problems + self.compare(state_of(data), self.before)
        except RagcliError as error:
            return [f"cannot be searched: {error.message}"]

    def compare(self, now: State, before: State) -> list[str]:
        """Documents that are neither as they were nor as they are to be."""
        problems = [
            f"{path} is neither old nor new"
            for path, held in now.items()
            if held not in (before.get(path), self.after.get(path))
        ]
        lost = [path for path in before if path in self.after and path not in now]
        return problems + [f"{path} is lost" for path in lost]

    def complete(self, data: Path, off: list[str]) -> list[str]:
        """What is wrong after the next run: all equals a clean run, and nothing is there twice."""
        outcome = self.run(self.job(data, off=off))
        if not outcome.get("done"):
            return [f"the next run failed: {outcome}"]
        try:
            problems = [] if state_of(data) == self.after else ["other chunks than a clean run"]
            if rows_of(data) != self.rows:
                problems.append(f"other numbers of rows than a clean run: {rows_of(data)}")
            with open_collection(str(data)) as collection:
                health = collection.health()
                indexed = (collection.lexical.count(), len(collection.dense.store))
                coverage = collection.ledger.coverage()
        except RagcliError as error:
            return [f"cannot be opened: {error.message}"]
        if indexed != (coverage.chunks, coverage.embedded):
            problems.append(f"the indexes hold {indexed} of {coverage}")
        return problems + [f"{part}: {detail}" for part, state, detail in health if state != "ok"]


def state_of(data: Path) -> State:
    """Path -> chunk ids and texts, and vectors where the file has all of them."""
    with open_collection(str(data)) as collection:
        rows = collection.ledger.query(
            "SELECT f.path, hex(c.id), c.text FROM files f JOIN documents d ON d.file = f.id"
            " JOIN chunks c ON c.document = d.id WHERE f.state = 'ready'"
            " ORDER BY f.path, d.ordinal, c.ordinal"
        )
    state: State = defaultdict(list)
    for path, *rest in rows:
        state[path].append(tuple(rest))
    return dict(state)


def rows_of(data: Path) -> dict[str, Any]:
    """How many rows each table has, and all vectors."""
    with open_collection(str(data)) as collection:
        ask = collection.ledger.query
        counts: dict[str, Any] = {
            name: ask(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES
        }
        counts["embedded"] = sorted(ask("SELECT hex(key), hex(data) FROM vectors"))
        return counts


def kill(bench: Bench, kills: int) -> Iterator[Row]:
    """SIGKILL at a seeded statement on the ledger, or after a seeded time."""
    total = bench.must(bench.job(bench.copy(bench.base)))["statements"]
    row = Row(f"SIGKILL at {kills} points of an ingest", guard="transactions")
    for seed in range(kills):
        row.count(_killed(bench, seed, total, [], timed=seed % 3 == 2), control=False)
    for seed in range(kills, kills + 15):
        row.count(_killed(bench, seed, total, ["transactions"], timed=False), control=True)
    yield row
    swept = Row("… what a killed run left is swept away", row.trials, row.held, "sweeping")
    for seed in range(15):
        swept.count(_killed(bench, seed, total, ["sweeping"], timed=False), control=True)
    yield swept


def _killed(bench: Bench, seed: int, total: int, off: list[str], *, timed: bool) -> list[str]:
    chance = random.Random(seed)
    data = bench.copy(bench.base)
    if timed:
        child = bench.start(bench.job(data, off=off))
        assert child.stdout is not None
        for _ in range(chance.randint(1, 110)):
            child.stdout.readline()
        time.sleep(chance.random() * 0.05)
        child.kill()
        child.communicate()
    else:
        job = bench.job(data, die_at=chance.randint(1, total), off=off, eager=seed % 2 == 0)
        bench.run(job)
    return bench.halfway(data, bench.before) + bench.complete(data, off)


def disk(bench: Bench, points: int = 20) -> Iterator[Row]:
    """A disk that is full after so many bytes; with more room the next run completes."""
    real = _can_mount(bench.top)
    sizes = [path.stat().st_size for path in bench.clean.rglob("*") if path.is_file()]
    full = sum(sizes) if real else max(sizes)
    kind = "a full file system" if real else "a limit on the size of files"
    row = Row(f"{kind} at {points} sizes", guard="journal")
    for control in (False, True):
        for point in range(points):
            most = int(full * (point + 1) / (points + 1)) + 64_000
            row.count(_full(bench, most, real, ["journal"] * control), control=control)
    yield row


def _full(bench: Bench, most: int, real: bool, off: list[str]) -> list[str]:
    with _small_disk(bench, most) if real else _plain(bench) as (data, grow):
        job = bench.job(data, most_bytes=0 if real else most, off=off)
        outcome = bench.run(job)
        problems = []
        if not outcome.get("done") and outcome.get("error") not in KNOWN:
            problems.append(f"not said in words: {outcome}")
        grow()
        if (data / "collections").exists():
            problems += bench.halfway(data, {})
        return problems + bench.complete(data, off)


@contextmanager
def _small_disk(bench: Bench, most: int) -> Iterator[tuple[Path, Callable[[], None]]]:
    data = bench.copy()
    data.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={most}", "none", str(data))
    try:
        yield data, lambda: _mount("-o", "remount,size=200m", str(data))
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


@contextmanager
def _plain(bench: Bench) -> Iterator[tuple[Path, Callable[[], None]]]:
    yield bench.copy(), lambda: None


def writers(bench: Bench, trials: int = 8) -> Iterator[Row]:
    """An ingest that pauses in the middle while another one of the same folder is started."""
    row = Row("two ingests at once", guard="lock")
    for control in (False, True):
        off = ["lock"] * control
        for trial in range(trials):
            data = bench.copy(bench.base)
            paused = bench.start(bench.job(data, off=off, stop_at=2 * trial + 5, eager=True))
            os.waitid(os.P_PID, paused.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            outcomes = [bench.run(bench.job(data, off=off))]
            paused.send_signal(signal.SIGCONT)
            outcomes.append(bench.finish(paused))
            problems = [
                f"failed: {outcome}"
                for outcome in outcomes
                if not outcome.get("done") and outcome.get("error") != "CollectionBusy"
            ]
            row.count(problems + bench.complete(data, []), control=control)
    yield row


def readers(bench: Bench, trials: int = 6) -> Iterator[Row]:
    """A search while an ingest stands still in the middle of replacing a file: all is there, whole."""
    row = Row(f"a search while a file is replaced, at {trials} files", guard="transactions")
    for control in (False, True):
        for trial in range(trials):
            data = bench.copy(bench.base)
            off = ["transactions"] * control
            paused = bench.start(bench.job(data, pause_at=trial + 1, off=off))
            os.waitid(os.P_PID, paused.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            row.count(bench.beside(data), control=control)
            paused.kill()
            paused.communicate()
    yield row


def readonly(bench: Bench) -> Iterator[Row]:
    """A collection that may not be written: questions are answered, an ingest is refused in words."""
    row = Row("a read-only collection", guard="(writable)")
    expected = bench.run(bench.job(bench.clean, "ask"))
    for control in (False, True):
        for damage in (False, True):
            data = bench.copy(bench.clean)
            if damage:
                shutil.rmtree(data / "collections/default/lexical")
            with _readonly(data, not control):
                found = bench.run(bench.job(data, "ask"))
                written = bench.run(bench.job(data))
            problems = [] if found == expected else ["other answers"]
            if written.get("error") != "StorageError":
                problems.append(f"an ingest was not refused: {written}")
            row.count(problems, control=control)
    yield row


@contextmanager
def _readonly(data: Path, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
    elif _can_mount(data.parent):
        _mount("--bind", str(data), str(data))
        _mount("-o", "remount,bind,ro", str(data))
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(data)], check=True)
    else:
        paths = [data, *data.rglob("*")]
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
        try:
            yield
        finally:
            for path in paths:
                path.chmod(path.stat().st_mode | 0o200)


def damage(bench: Bench) -> Iterator[Row]:
    """Every file of an index deleted, cut in half, and with a byte changed: the answers stay the same."""
    row = Row("index files deleted, cut, changed", guard="checksums")
    expected = bench.run(bench.job(bench.clean, "ask"))
    place = bench.clean / "collections/default"
    names = [place / "dense.faiss", *sorted((place / "lexical").iterdir())]
    files = [path.relative_to(bench.clean) for path in names if path.stat().st_size]
    for control in (False, True):
        for name in files:
            for way in (_delete, _cut, _flip):
                data = bench.copy(bench.clean)
                way(data / name)
                found = bench.run(bench.job(data, "ask", off=["checksums"] * control))
                same = [] if found == expected else [f"{name} {way.__name__}: {str(found)[-200:]}"]
                row.count(same, control=control)
    yield row
    yield _damaged_ledger(bench)


def _damaged_ledger(bench: Bench, trials: int = 10) -> Row:
    """A byte of a text changed in the ledger itself: nothing can repair that, so it must be said."""
    row = Row("a text changed in the ledger", guard="checksums")
    ledger = Path("collections/default/ledger.db")
    whole = (bench.clean / ledger).read_bytes()
    asked = bench.run(bench.job(bench.clean, "ask"))
    found = sorted({text for texts in asked["found"] for text in texts})
    for control in (False, True):
        for seed in range(trials):
            chance = random.Random(seed)
            data = bench.copy(bench.clean)
            text = chance.choice(found).encode()
            at = whole.index(text) + chance.randrange(len(text))
            (data / ledger).write_bytes(whole[:at] + b"X" + whole[at + 1 :])
            with_all = bench.run(bench.job(data, "ask", off=["checksums"] * control))
            said = with_all.get("error") == "CollectionDamaged"
            row.count([] if said else [f"not said: {str(with_all)[:200]}"], control=control)
    return row


def _delete(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def _can_mount(folder: Path) -> bool:
    place = folder / "mount"
    place.mkdir(exist_ok=True)
    try:
        _mount("-t", "tmpfs", "-o", "size=1m", "none", str(place))
    except (OSError, subprocess.CalledProcessError):
        return False
    subprocess.run(["umount", str(place)], check=True)
    return True


CASES: dict[str, Callable[[Bench, int], Iterator[Row]]] = {
    "kill": kill,
    "disk": lambda bench, _: disk(bench),
    "writers": lambda bench, _: writers(bench),
    "readers": lambda bench, _: readers(bench),
    "readonly": lambda bench, _: readonly(bench),
    "damage": lambda bench, _: damage(bench),
}


def main() -> None:
    """Run the cases, print a table, and fail where a fault was not survived or a control was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--kills", type=int, default=50)
    arguments = parser.parse_args()
    earlier = Path(__file__).parent / "results" / "faults.json"
    found = json.loads(earlier.read_text(encoding="utf-8"))["faults"] if earlier.is_file() else {}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as top:
        bench = Bench(Path(top))
        for name in arguments.only.split(","):
            fresh = []
            for row in CASES[name](bench, arguments.kills):
                fresh.append(row)
                print(row, flush=True)
            found[name] = [asdict(row) for row in fresh]
            rows += fresh
    header = ("fault", "trials", "held", "guard switched off", "trials", "caught")
    columns = ("fault", "trials", "held", "guard", "control_trials", "caught")
    cells = [[row[key] for key in columns] for name in CASES for row in found.get(name, [])]
    print(save("faults", {"faults": found}, f"# Faults\n\n{table(header, cells)}\n").read_text())
    sys.exit(any(row.held < row.trials or not row.caught for row in rows))


if __name__ == "__main__":
    main()

"""The parent's side of training: writes the order, starts the child, passes on what it says."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ragcli.errors import ModelError
from ragcli.finetune.loading import dump
from ragcli.finetune.material import Material, Row
from ragcli.finetune.order import Order
from ragcli.finetune.split import Parts
from ragcli.finetune.topics import NONE
from ragcli.models.allocator import STEADY_MEMORY
from ragcli.models.switches import QUIET, SLEEPING_THREADS

PATIENCE_S = 120
MOST_POOL = 600
MOST_ANSWERS = 100
"""Of one question: all texts of its class answer a text."""
KEPT_LINES = 30

Listen = Callable[[dict[str, Any]], None]


def write_rows(path: Path, rows: Iterable[Row], topics: Mapping[str, int] | None = None) -> int:
    """Write the rows for the child, with the topic of what answers each; how many."""
    known = topics or {}
    return dump(
        path,
        (
            {
                "question": row.question,
                "texts": row.texts,
                "label": row.label,
                "passages": row.passages,
                "relevant": sorted(row.relevant),
                "topic": known.get(row.passages[0], NONE) if row.passages else NONE,
            }
            for row in rows
        ),
    )


def write_development(
    path: Path,
    material: Material,
    parts: Parts,
    near: Mapping[str, list[str]],
    seed: int,
    texts: Callable[[str], list[str]] | None = None,
) -> None:
    """Write the development questions with a part of the corpus: answers, what is near, others.

    `texts` gives the pieces in which a passage is searched; by default it is one.
    """
    asked = [id for id in parts.development if material.questions[id].relevant]
    pool = dict.fromkeys(
        name for id in asked for name in islice(material.questions[id].relevant, MOST_ANSWERS)
    )
    for id in asked:
        pool |= dict.fromkeys(near.get(id, []))
    others = [name for name in material.passages if name not in pool]
    room = max(0, MOST_POOL - len(pool))
    pool |= dict.fromkeys(random.Random(seed).sample(others, min(room, len(others))))
    held = {
        "passages": {
            name: texts(name) if texts else [material.passages[name].whole] for name in pool
        },
        "questions": {id: material.questions[id].text for id in asked},
        "relevant": {
            id: {
                name: grade
                for name, grade in material.questions[id].relevant.items()
                if name in pool
            }
            for id in asked
        },
        "apart": [id for id in asked if id in parts.apart],
    }
    path.write_text(json.dumps(held), encoding="utf-8")


def run(order: Order, listen: Listen) -> dict[str, Any]:
    """Train in a child; its report. An interrupt waits until the child has kept a checkpoint.

    Raises ModelError when it fails, KeyboardInterrupt after an interrupt.
    """
    place = Path(order.work) / "order.json"
    order.save(place)
    killed = _killed_for_memory()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "ragcli.finetune.child", str(place)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={
                **os.environ,
                **QUIET,
                **STEADY_MEMORY,
                **SLEEPING_THREADS,
                "TENSORBOARD_LOGGING_DIR": order.curves,
            },
            text=True,
            # A terminal's interrupt reaches the child through us alone, once.
            start_new_session=True,
        )
        try:
            report = _follow(child, listen)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        if "done" not in report and "interrupted" not in report:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()[-KEPT_LINES:]
            short = _killed_for_memory() > killed
            raise _failed(report, child.returncode, said, short=short)
    return report


def _follow(child: subprocess.Popen[str], listen: Listen) -> dict[str, Any]:
    assert child.stdout
    last: dict[str, Any] = {}
    try:
        for line in child.stdout:
            last = json.loads(line)
            listen(last)
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=PATIENCE_S)
        raise
    child.wait()
    return last


def _failed(report: dict[str, Any], code: int, said: list[str], *, short: bool) -> ModelError:
    if "error" in report:
        return ModelError(report["error"], report["fix"])
    if code == -signal.SIGKILL and short:
        return ModelError(
            "Training was killed: the memory ran out.",
            "Set a smaller --batch, or --loss cached-mnrl.",
        )
    why = said[-1].strip().rstrip(".") if said else "it said nothing"
    how = "failed" if code > 0 else "ended unexpectedly"
    cause = f" ({signal.Signals(-code).name})" if code < 0 else ""
    failure = ModelError(f"Training {how}{cause}: {why}.", "Run it again with -v for all it said.")
    failure.__cause__ = RuntimeError("\n".join(said))
    return failure


def _killed_for_memory() -> int:
    """Processes that this system has killed for memory since its start; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

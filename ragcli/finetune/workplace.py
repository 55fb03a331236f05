"""The folder that a run works in: for one run at a time, and none that can go on is lost unasked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ragcli.embedders.files import make_folder
from ragcli.errors import CollectionBusy, UsageError
from ragcli.evaluate import reading
from ragcli.finetune import forgetting
from ragcli.finetune.loading import load
from ragcli.finetune.order import CHECKPOINTS
from ragcli.finetune.recipe import Recipe
from ragcli.index.lock import WriterLock

FACTS = "run.json"
PASSING = ("resume", "restart", "estimate", "general", "log_to")
"""What may differ when a run goes on."""
CORPORA = ("ground", "judging", "general")


@contextmanager
def alone(work: Path, *, passing: bool = False) -> Iterator[None]:
    """Keep other processes out of the folder; a `passing` one is gone afterwards.

    Raises CollectionBusy where another process works in it.
    """
    make_folder(work.parent)
    # Beside the folder, which comes and goes: a lock in it would go with it.
    lock = WriterLock(work.with_name(f".{work.name.lstrip('.')}.lock"))
    try:
        lock.take(patience=0)
    except CollectionBusy as error:
        raise CollectionBusy(
            f"Another process is at work in {work}.",
            "Wait for it to end, or give this one another --name.",
        ) from error
    try:
        yield
    finally:
        if passing:
            shutil.rmtree(work, ignore_errors=True)
        lock.give_back()


def begin(data: Path | None, recipe: Recipe, work: Path) -> None:
    """Make the folder ready for a run that goes on, or for a new one, and note what the run is.

    Raises UsageError, and removes nothing, where an interrupted run would be lost unasked, where
    what a new one is to read cannot be read, or where another run is to be gone on with.
    """
    if recipe.resume:
        _go_on(data, recipe, work)
    elif work.exists():
        _keep_what_can_go_on(recipe, work)
        _read(data, recipe)
        forget(work)
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    (work / FACTS).write_text(json.dumps(_facts(data, recipe)), encoding="utf-8")


def forget(work: Path) -> None:
    """Remove all that a run left."""
    shutil.rmtree(work, ignore_errors=True)


def _facts(data: Path | None, recipe: Recipe) -> dict[str, object]:
    facts: dict[str, object] = json.loads(json.dumps({"data": data, **asdict(recipe)}, default=str))
    return facts


def _go_on(data: Path | None, recipe: Recipe, work: Path) -> None:
    """Other options would split the questions in another way, and judge by what was trained on."""
    place, asked = work / FACTS, _facts(data, recipe)
    known = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else asked
    for name, value in asked.items():
        if name not in PASSING and known.get(name) != value:
            raise UsageError(
                f"The run to go on with was begun with {name} {known.get(name)}, not {value}.",
                "Give it the same options, or begin anew with --restart in place of --resume.",
            )
    if (work / "model").exists():
        # Its training was over: the corpora may hold vectors of the tuned model by now.
        for name in CORPORA:
            shutil.rmtree(work / name, ignore_errors=True)


def _keep_what_can_go_on(recipe: Recipe, work: Path) -> None:
    steps = [path.name.rpartition("-")[2] for path in (work / CHECKPOINTS).glob("checkpoint-*")]
    if steps and not recipe.restart:
        raise UsageError(
            f"A run was interrupted at step {max(map(int, steps))}, and can go on.",
            "Give the command that began it with --resume, or give that run up with --restart.",
        )


def _read(data: Path | None, recipe: Recipe) -> None:
    """Read what the run will read: what cannot be is refused while nothing is lost."""
    if data:
        load(data)
    if recipe.general:
        forgetting.read(recipe.general)
    if recipe.judge:
        reading.load(recipe.judge)

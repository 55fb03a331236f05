"""Tells what a training will cost, from a few steps done on this machine and thrown away."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ragcli.errors import ModelError
from ragcli.finetune.losses import MINI_BATCH

OPTIMIZER_BYTES = 8
"""For each weight: Adam's two moments."""
STEP_BYTES = OPTIMIZER_BYTES + 8
"""And its gradient, and the base to blend with."""
PROBED = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and bytes at the peak, and both in a sentence."""

    seconds: float
    memory: int
    sentence: str


def foretell(run: Any, evaluation: float) -> Cost:
    """Time a few batches, the longest among them; the model and the dice stay as they were."""
    import torch

    trainer = run.trainer
    sampler = trainer.args.batch_sampler()
    batches = list(islice(iter(sampler), 64))
    lengths = [sum(len(text) for text in _texts(run, rows)) for rows in batches]
    order = sorted(range(len(batches)), key=lambda at: lengths[at])
    chosen = [order[-1], order[len(order) // 2], order[len(order) // 4]][:PROBED]
    dice = torch.get_rng_state()
    spent = {at: _step(run, batches[at]) for at in chosen}
    torch.set_rng_state(dice)
    pace = sum(spent.values()) / max(1, sum(lengths[at] for at in spent))
    steps = trainer.args.max_steps
    step = pace * sum(lengths) / len(lengths)
    measured = run.order.evaluations + len(run.order.shares)
    seconds = step * steps + evaluation * measured
    weights = sum(tensor.numel() for tensor in run.model.parameters())
    memory = peak() + OPTIMIZER_BYTES * weights
    return Cost(
        seconds,
        memory,
        f"About {_time(seconds)} on this machine: up to {steps} steps of {step:.1f} s in"
        f" {run.precision}, {measured} measurements of {evaluation:.0f} s;"
        f" {memory / 1e9:.1f} GB of memory at the peak.",
    )


def refuse(run: Any, free: int | None) -> None:
    """Raise ModelError, before any step, where the run would not fit into so many free bytes."""
    weights = sum(tensor.numel() for tensor in run.model.parameters())
    columns = [name for name in run.trainer.train_dataset.column_names if name != "label"]
    rows = MINI_BATCH if "cached" in run.order.loss else run.order.batch
    tokens = min(rows * len(columns) * run.model.max_seq_length, run.model.room)
    needed = STEP_BYTES * weights + int(tokens * run.model.bytes_per_token(run.precision))
    if free is not None and needed > free:
        raise ModelError(
            f"Training needs about {needed / 1e9:.1f} GB more, and {free / 1e9:.1f} GB are free.",
            "Set a smaller --batch, or --lora 8.",
        )


def _texts(run: Any, rows: list[int]) -> list[str]:
    portion = run.trainer.train_dataset[rows]
    return [text for name, column in portion.items() if name != "label" for text in column]


def _step(run: Any, rows: list[int]) -> float:
    trainer = run.trainer
    started = time.monotonic()
    inputs = trainer.data_collator([trainer.train_dataset[row] for row in rows])
    inputs = trainer._prepare_inputs(inputs)
    run.model.train()
    with trainer.compute_loss_context_manager(), _autocast(run):
        loss = trainer.compute_loss(run.model, inputs)
    loss.backward()
    run.model.zero_grad(set_to_none=True)
    return time.monotonic() - started


def _autocast(run: Any) -> Any:
    import torch

    kind = run.model.device.type
    return torch.autocast(kind, torch.bfloat16, enabled=run.precision == "bf16")


def peak() -> int:
    """The most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def available() -> int | None:
    """Bytes that new memory may take; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable")]
    return int(found[0]) * 1024 if found else None


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

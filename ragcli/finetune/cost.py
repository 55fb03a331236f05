"""Tells what a run will cost, from a few steps done on this machine and thrown away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ragcli.errors import ModelError
from ragcli.finetune.losses import MINI_BATCH
from ragcli.finetune.memory import peak

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


def foretell(run: Any, evaluation: float, done: int = 0) -> Cost:
    """Time a few batches, the longest among them; the model and the dice stay as they were.

    `evaluation` is what one measurement takes, `done` the steps before an interrupt.
    """
    step = _pace(run)
    steps = max(0, run.trainer.args.max_steps - done)
    measured = -(-steps // run.trainer.args.eval_steps) + len(run.order.shares)
    after = run.order.afterwards
    seconds = step * steps + evaluation * measured + after
    device = run.model.device.type
    memory = peak(device) + OPTIMIZER_BYTES * _weights(run)
    proof = (
        f", then {_time(after)} to embed the corpus with the result and ask again" if after else ""
    )
    return Cost(
        seconds,
        memory,
        f"About {_time(seconds)} on this machine: up to {steps} steps of {step:.1f} s in"
        f" {run.precision}, {measured} measurements of {evaluation:.0f} s{proof};"
        f" {memory / 1e9:.1f} GB of memory{_where(device)} at the peak.",
    )


def refuse(run: Any, free: int | None) -> None:
    """Raise ModelError, before any step, where the run would not fit into so many free bytes."""
    columns = [name for name in run.trainer.train_dataset.column_names if name != "label"]
    rows = MINI_BATCH if "cached" in run.order.loss else run.order.batch
    tokens = min(rows * len(columns) * run.model.max_seq_length, run.model.room)
    needed = STEP_BYTES * _weights(run) + int(tokens * run.model.bytes_per_token(run.precision))
    if free is not None and needed > free:
        raise ModelError(
            f"Training needs about {needed / 1e9:.1f} GB more, and {free / 1e9:.1f} GB are"
            f" free{_where(run.model.device.type)}.",
            "Set a smaller --batch, or --lora 8.",
        )


def _weights(run: Any) -> int:
    return sum(tensor.numel() for tensor in run.model.parameters())


def _where(device: str) -> str:
    return " on the GPU" if device == "cuda" else ""


def _pace(run: Any) -> float:
    """Seconds that a step takes on the mean."""
    import torch

    batches = list(islice(iter(run.trainer.args.batch_sampler()), 64))
    lengths = [sum(len(text) for text in _texts(run, rows)) for rows in batches]
    order = sorted(range(len(batches)), key=lambda at: lengths[at])
    chosen = [order[-1], order[len(order) // 2], order[len(order) // 4]][:PROBED]
    dice = torch.get_rng_state()
    spent = {at: _step(run, batches[at]) for at in chosen}
    torch.set_rng_state(dice)
    pace = sum(spent.values()) / max(1, sum(lengths[at] for at in spent))
    return pace * sum(lengths) / len(lengths)


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
    if run.model.device.type == "cuda":
        import torch

        torch.cuda.synchronize()
    return time.monotonic() - started


def _autocast(run: Any) -> Any:
    import torch

    kind = run.model.device.type
    return torch.autocast(kind, torch.bfloat16, enabled=run.precision == "bf16")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

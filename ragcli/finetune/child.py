"""The child that trains: `python -P -m ragcli.finetune.child ORDER`. Torch lives here only.

Prints one JSON object a line: `step`, `evaluated`, `note`, and at the end `done` or `error`. An
interrupt (SIGINT, or SIGTERM) ends the run after the step at hand, with a checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

from ragcli.errors import ModelError, RagcliError
from ragcli.finetune.order import CHECKPOINTS, Order
from ragcli.models.switches import QUIET


def main(arguments: list[str]) -> int:
    """Train as ordered."""
    os.environ.update(QUIET)
    os.environ["HF_DATASETS_OFFLINE"] = "1"
    # Libraries may print: the pipe gets a descriptor of its own, and prints go to stderr.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    stop = Stop()
    try:
        report = train(Order.read(Path(arguments[0])), Voice(replies), stop)
    except RagcliError as error:
        report = {"error": error.message, "fix": error.fix}
    Voice(replies).say(**report)
    return 0


class Voice:
    """Says things to the parent."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def say(self, **fields: Any) -> None:
        """One line of JSON."""
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


class Stop:
    """Whether someone wants the run to end; the second interrupt ends it at once."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        if self.asked:
            raise SystemExit(130)
        self.asked = True


def train(order: Order, voice: Voice, stop: Stop) -> dict[str, Any]:
    """Train, load the best checkpoint, blend it with the base, save; what came of it."""
    from ragcli.finetune.blend import blend
    from ragcli.finetune.cost import foretell, refuse
    from ragcli.finetune.memory import available, peak
    from ragcli.finetune.trainer import make

    work = Path(order.work)
    run = make(order, voice, stop)
    refuse(run, available(run.model.device.type))
    started = time.monotonic()
    base_score = run.evaluator.measure(run.model)
    last = _last_checkpoint(work) if order.resume else None
    cost = foretell(run, time.monotonic() - started, _step_of(last))
    voice.say(note=cost.sentence)
    if order.estimate:
        return {"done": True, "estimated": True, "seconds": cost.seconds, "memory": cost.memory}
    voice.say(evaluated=0, ndcg=base_score, base=True)
    base = {name: tensor.detach().clone() for name, tensor in run.plain_weights().items()}
    started = time.monotonic()
    run.trainer.train(resume_from_checkpoint=last)
    seconds = time.monotonic() - started
    steps = run.trainer.state.global_step
    report = {
        "steps": steps,
        "seconds": seconds,
        "examples_per_second": run.watch.examples / max(seconds - run.evaluator.seconds, 1e-9),
        "precision": run.precision,
        "peak_bytes": peak(),
    }
    if stop.asked:
        return {"interrupted": True, **report}
    best = run.trainer.state.best_model_checkpoint
    best_score = run.trainer.state.best_metric
    _check_best(run, best, voice)
    run.merge()
    share, shares = blend(run, base, {0.0: base_score}, order.shares)
    voice.say(note=f"The tuned weights have a share of {share:g} in the result.")
    run.save(work / "model")
    return {
        "done": True,
        "base": base_score,
        "best": best_score,
        "best_step": _step_of(best) or steps,
        "share": share,
        "shares": {f"{key:g}": value for key, value in shares.items()},
        "history": run.history,
        **report,
    }


def _last_checkpoint(work: Path) -> str | None:
    from transformers.trainer_utils import get_last_checkpoint

    folder = work / CHECKPOINTS
    found = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    return str(found) if found else None


def _step_of(checkpoint: str | None) -> int:
    return int(checkpoint.rpartition("-")[2]) if checkpoint else 0


def _check_best(run: Any, best: str | None, voice: Voice) -> None:
    """The trainer only logs when the best checkpoint cannot be loaded: compare its weights."""
    import torch
    from safetensors.torch import load_file

    if best is None:
        voice.say(note="No checkpoint was measured: the last weights are taken.")
        return
    names = ("adapter_model.safetensors", "model.safetensors")
    file = next((Path(best) / name for name in names if (Path(best) / name).is_file()), None)
    if file is None:
        raise ModelError(f"The best checkpoint {best} holds no weights.", "Run it again.")
    mine = run.encoder_weights(lora=file.name.startswith("adapter"))
    for name, tensor in load_file(str(file)).items():
        held = mine.get(name)
        if held is None or not torch.equal(held.cpu().float(), tensor.float()):
            raise ModelError(
                f"The best checkpoint {best} was not loaded as it was saved ({name}).",
                "Run it again with --resume.",
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

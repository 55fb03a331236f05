"""Training itself, on a tiny model: every loss on every shape, interrupts, checkpoints, LoRA."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKSHOP = Path(__file__).with_name("training_workshop.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the workshop reports; it runs once, for all processes of a test run."""
    pytest.importorskip("datasets", reason="training needs the package datasets")
    pytest.importorskip("peft", reason="LoRA needs the package peft")
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finetune-workshop"
    root.mkdir(exist_ok=True)
    report = root / "report.json"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not report.exists():
            done = subprocess.run(
                [sys.executable, str(WORKSHOP), str(root / "work")],
                capture_output=True,
                text=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "HOME": str(root)},
            )
            assert done.returncode == 0, done.stderr[-3000:]
            report.write_text(done.stdout.splitlines()[-1])
    return dict(json.loads(report.read_text()))


def test_every_loss_trains_on_every_shape(told: dict) -> None:
    assert len(told["trained"]) == 5 * 11
    for name, report in told["trained"].items():
        assert report["steps"] == 2, name
        assert 0 <= report["base"] <= 1 and 0 <= report["best"] <= 1, name


def test_cutting_a_batch_changes_neither_vectors_nor_gradients(told: dict) -> None:
    assert set(told["cut"]) == {"kept", "some", "again"}
    for name, (vectors, gradients) in told["cut"].items():
        assert vectors < 1e-5 and gradients < 1e-3, name


def test_unused_memory_is_given_back_on_the_way(told: dict) -> None:
    whole = told["whole"]
    # The cost is foretold from three steps, the base measured once, and one share.
    assert told["tidied"]["steps"] == (whole["steps"] + 3) // 8
    assert told["tidied"]["measurements"] == len(whole["history"]) + 2


def test_the_cost_is_that_of_the_whole_run_and_after_an_interrupt_of_what_is_left(
    told: dict,
) -> None:
    first, later = told["foretold"]
    steps = told["whole"]["steps"]
    assert f"up to {steps} steps of" in first
    assert "then 10 min to embed the corpus with the result and ask again;" in first
    assert first.startswith("About 10 min on this machine")
    assert f"up to {steps - 11} steps of" in later and "ask again" not in later


def test_a_run_that_would_not_fit_says_so_first(told: dict) -> None:
    assert told["refused"].startswith("Training needs about 0.0 GB more")


def test_training_learns_and_the_best_checkpoint_is_what_is_saved(told: dict) -> None:
    whole = told["whole"]
    assert whole["best"] > whole["base"] + 0.2
    assert whole["best"] == max(value for _, value in whole["history"])
    assert whole["best_step"] == next(s for s, value in whole["history"] if value == whole["best"])
    # The share 1 of the tuned weights is the best checkpoint, measured again after loading it.
    assert whole["shares"]["1"] == pytest.approx(whole["best"])


def test_an_interrupted_run_goes_on_as_if_nothing_had_been(told: dict) -> None:
    assert told["stopped"] == {**told["stopped"], "interrupted": True, "steps": 11}
    assert told["resumed"]["steps"] == told["whole"]["steps"]
    assert told["resumed"]["history"] == told["whole"]["history"]
    assert told["apart"] == 0.0 < told["moved"]


def test_patience_is_not_begun_anew_by_an_interrupt(told: dict) -> None:
    assert told["still"]["steps"] == told["still resumed"]["steps"] == 6


def test_lora_ships_merged_and_matryoshka_trains(told: dict) -> None:
    for name in ("lora", "matryoshka"):
        assert told[name]["best"] > told[name]["base"]
        assert told[name]["shares"]["1"] == pytest.approx(told[name]["best"], abs=0.02)
        assert told[f"{name} moved"] > 0


def test_vectors_that_are_not_cut_stay_trained(told: dict) -> None:
    assert told["sizes"] == [32, 16]


def test_nothing_that_quotes_training_rows_is_written(told: dict) -> None:
    assert "README.md" not in told["files"]
    assert "training_args.bin" not in told["files"]

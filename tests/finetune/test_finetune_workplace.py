"""The folder of a run: what was interrupted is not lost unasked, and two runs do not share it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragcli.errors import CollectionBusy, UsageError
from ragcli.finetune.recipe import Recipe
from ragcli.finetune.workplace import alone, begin


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve pairs."""
    rows = [{"question": f"who is {n}?", "context": f"{n} is one"} for n in range(12)]
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def work(data: Path, tmp_path: Path) -> Path:
    """The folder of a run that was interrupted after two checkpoints."""
    folder = tmp_path / "finetuning" / "tuned"
    begin(data, Recipe(), folder)
    for step in (8, 16):
        (folder / "checkpoints" / f"checkpoint-{step}").mkdir(parents=True)
    return folder


def left(work: Path) -> list[str]:
    return sorted(path.name for path in work.rglob("*"))


def test_an_interrupted_run_is_given_up_only_by_one_that_says_so_and_can_begin(
    data: Path, work: Path
) -> None:
    before = left(work)
    typo = data.with_name("typo.jsonl")
    with pytest.raises(UsageError, match="interrupted at step 16") as refused:
        begin(data, Recipe(), work)
    assert refused.value.exit_code == 2
    assert "--resume" in refused.value.fix and "--restart" in refused.value.fix
    with pytest.raises(UsageError, match="interrupted at step 16"):
        begin(typo, Recipe(), work)
    for unread in (Recipe(restart=True), Recipe(restart=True, general=typo)):
        with pytest.raises(UsageError):
            begin(typo if unread.general is None else data, unread, work)
    with pytest.raises(UsageError, match="question set"):
        begin(data, Recipe(restart=True, judge=typo), work)
    assert left(work) == before
    begin(data, Recipe(resume=True), work)
    assert left(work) == before
    begin(data, Recipe(restart=True), work)
    assert left(work) == ["run.json"]


def test_a_run_without_a_checkpoint_makes_room_for_another(data: Path, work: Path) -> None:
    for path in (work / "checkpoints").iterdir():
        path.rmdir()
    (work / "ground").mkdir()
    begin(data, Recipe(seed=3), work)
    assert left(work) == ["run.json"]


def test_a_run_goes_on_with_its_own_options_alone(data: Path, work: Path) -> None:
    with pytest.raises(UsageError, match="begun with seed 7, not 3"):
        begin(data, Recipe(resume=True, seed=3), work)
    with pytest.raises(UsageError, match=r"begun with data .*data\.jsonl, not .*typo\.jsonl"):
        begin(data.with_name("typo.jsonl"), Recipe(resume=True), work)
    begin(data, Recipe(resume=True), work)


def test_vectors_of_a_tuned_model_are_not_taken_for_those_of_the_base(
    data: Path, work: Path
) -> None:
    (work / "ground").mkdir()
    begin(data, Recipe(resume=True), work)
    assert (work / "ground").is_dir()
    (work / "model").mkdir()
    begin(data, Recipe(resume=True), work)
    assert not (work / "ground").exists() and (work / "checkpoints").is_dir()


def test_one_run_at_a_time(tmp_path: Path) -> None:
    work, other = tmp_path / "default" / "tuned", tmp_path / "default" / ".tuned.estimate"
    with alone(work):
        work.mkdir()
        with pytest.raises(CollectionBusy, match="Another process is at work in"), alone(work):
            pass
        with alone(other, passing=True):
            other.mkdir()
        assert not other.exists()
    with alone(work):
        assert work.is_dir()

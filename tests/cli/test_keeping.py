"""What a kept result says of its setting where a variable, a flag or another file sets it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ragcli.cli import keeping
from ragcli.cli.keeping import keep_result, roll_back
from ragcli.cli.options import Common
from ragcli.cli.session import Session
from ragcli.cli.tuning import Tuning
from ragcli.finetune.recipe import Outcome

VARIABLE = "RAGCLI_EMBEDDER__MODEL"


def tuning(folder: Path, mode: str = "full", env: dict[str, str] | None = None, **common: Any):
    (folder / ".ragcli").mkdir(exist_ok=True)
    environ = {"HOME": str(folder), **(env or {})}
    session = Session(Common(**common), environ, folder)
    return Tuning(session, None, None, {"mode": mode, "estimate": False})


def kept(asked: Tuning, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is said when the result is kept, whatever it is."""
    folder = asked.models / "tuned"
    monkeypatch.setattr(keeping, "_publish", lambda *_: folder)
    return keep_result(asked, Outcome(None, folder, ""))


def test_a_result_that_the_file_alone_names_is_in_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ragcli.yaml").write_text("embedder:\n  model: /old\n")
    told = kept(tuning(tmp_path), monkeypatch)
    assert "overruled_by" not in told and "no effect" not in told["said"]
    assert 'model: "./.ragcli/models/tuned"' in (tmp_path / "ragcli.yaml").read_text()


@pytest.mark.parametrize("dotenv", [False, True])
def test_a_variable_that_wins_over_the_file_is_named_with_what_to_do(
    dotenv: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if dotenv:
        (tmp_path / ".env").write_text(f"{VARIABLE}=/old\n")
    asked = tuning(tmp_path, env={} if dotenv else {VARIABLE: "/old"})
    told = kept(asked, monkeypatch)
    assert told["overruled_by"] == f"environment variable {VARIABLE}"
    assert f"It has no effect yet: environment variable {VARIABLE} wins" in told["said"]
    assert f"Unset {VARIABLE}, or take it out of .env." in told["said"]
    again = kept(tuning(tmp_path, env={VARIABLE: "/old"}), monkeypatch)
    assert "overruled_by" in again
    assert f"environment variable {VARIABLE} wins" in roll_back(asked.session)["said"]
    assert "wins over" not in roll_back(tuning(tmp_path).session)["said"]


def test_a_flag_that_wins_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = kept(tuning(tmp_path, set=["embedder.model=/old"]), monkeypatch)
    assert told["overruled_by"] == "--set"
    assert "Leave out --set embedder.model from now on." in told["said"]


def test_the_file_that_is_named_last_is_the_one_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("embedder:\n  model: /old\n")
    told = kept(tuning(tmp_path, config=["one.yaml", "two.yaml"]), monkeypatch)
    assert told["config"].endswith("two.yaml") and "overruled_by" not in told
    (tmp_path / "below").mkdir()
    below = tuning(tmp_path / "below", config=["../two.yaml"])
    assert "overruled_by" not in kept(below, monkeypatch)
    assert "wins over" not in roll_back(below.session)["said"]


def test_a_map_is_looked_for_under_its_own_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = {"RAGCLI_EMBEDDER__QUERY_ADAPTER": "/old"}
    told = kept(tuning(tmp_path, "adapter", {VARIABLE: "/old"}), monkeypatch)
    assert "overruled_by" not in told
    told = kept(tuning(tmp_path, "adapter", mapped), monkeypatch)
    assert told["overruled_by"] == "environment variable RAGCLI_EMBEDDER__QUERY_ADAPTER"


def test_what_belongs_to_the_model_of_before_is_still_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tuning(tmp_path, env={"RAGCLI_EMBEDDER__REVISION": "v1"}), monkeypatch)
    said = capsys.readouterr().err
    assert "embedder.revision, set by environment variable RAGCLI_EMBEDDER__REVISION" in said

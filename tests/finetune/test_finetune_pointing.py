"""A configuration file is changed by one key; its comments stay, and the change can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ragcli.errors import ConfigError, UsageError
from ragcli.finetune.pointing import point, point_all, refuse, roll_back

FILES = (
    "",
    "# only words\n",
    "collection: mine\n",
    "embedder:\n  model: ./old  # the one we had\n  backend: onnx\nretrieval:\n  top_k: 3\n",
    "retrieval:\n  top_k: 3\nembedder:   # which\n    backend: onnx\n\n# end\n",
)


@pytest.mark.parametrize("text", FILES)
def test_one_key_changes_and_comes_back(text: str, tmp_path: Path) -> None:
    config = tmp_path / "ragcli.yaml"
    config.write_text(text)
    known = yaml.safe_load(text) or {}
    point_all(tmp_path / "models", config, {"model": "/new: one", "query_adapter": None})
    changed = yaml.safe_load(config.read_text())
    assert changed["embedder"]["model"] == "/new: one"
    assert {**changed, "embedder": {**known.get("embedder", {}), "model": "/new: one"}} == changed
    (change,) = roll_back(tmp_path / "models")["changes"]
    assert change["after"] == "/new: one"
    assert (yaml.safe_load(config.read_text()) or {}) == known
    with pytest.raises(UsageError):
        roll_back(tmp_path / "models")


def test_what_no_longer_fits_goes_with_the_change_and_comes_back_with_it(tmp_path: Path) -> None:
    config = tmp_path / "ragcli.yaml"
    text = "embedder:\n  query_adapter: /map\n  backend: onnx\n"
    config.write_text(text)
    point_all(tmp_path / "models", config, {"model": "/new", "query_adapter": None})
    changed = yaml.safe_load(config.read_text())
    assert changed == {"embedder": {"model": "/new", "backend": "onnx"}}
    roll_back(tmp_path / "models")
    assert yaml.safe_load(config.read_text()) == yaml.safe_load(text)


def test_a_file_written_in_another_way_is_left_alone(tmp_path: Path) -> None:
    config = tmp_path / "ragcli.yaml"
    config.write_text("embedder: {backend: onnx}\n")
    with pytest.raises(ConfigError, match="not changed by itself"):
        point(config, {"model": "/new"})
    assert config.read_text() == "embedder: {backend: onnx}\n"
    folded = "embedder:\n  query_adapter: >-\n    /map\n"
    config.write_text(folded)
    with pytest.raises(ConfigError, match="not changed by itself"):
        point_all(tmp_path / "models", config, {"model": "/new", "query_adapter": None})
    assert config.read_text() == folded and not (tmp_path / "models").exists()


def test_what_was_changed_since_by_hand_is_not_taken_back(tmp_path: Path) -> None:
    config = tmp_path / "ragcli.yaml"
    config.write_text("embedder:\n  model: /old\n")
    point_all(tmp_path / "models", config, {"model": "/new"})
    config.write_text("embedder:\n  model: /other\n")
    with pytest.raises(UsageError, match=r"changed since: embedder\.model is /other there"):
        roll_back(tmp_path / "models")
    assert "/other" in config.read_text()


def test_what_could_not_be_changed_afterwards_is_refused_before(tmp_path: Path) -> None:
    config = tmp_path / "ragcli.yaml"
    refuse(config, {"model": "/new", "query_adapter": None})
    refuse(tmp_path / "no" / "such" / "folder" / "config.yaml", {"model": "/new"})
    assert list(tmp_path.iterdir()) == []
    config.write_text("embedder: {backend: onnx}\n")
    with pytest.raises(ConfigError, match="not changed by itself") as refused:
        refuse(config, {"model": "/new"})
    assert "one setting in a line" in refused.value.fix
    with pytest.raises(ConfigError, match="cannot be written"):
        refuse(config / "below" / "config.yaml", {"model": "/new"})

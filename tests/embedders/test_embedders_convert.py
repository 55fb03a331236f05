"""Conversions: made once, in a child, whole or not at all, checked when they are opened."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import make_model
from workshop import STRAYED, TEXTS

from ragcli.embedders import build, describe
from ragcli.embedders.convert import load_checked, place_of, staging
from ragcli.embedders.export import INT8_FLOOR
from ragcli.embedders.onnx import MODEL
from ragcli.errors import ModelError, StorageError
from ragcli.settings import Embedder


@pytest.fixture
def own(workshop: Path, tmp_path: Path) -> tuple[Embedder, Path, Path]:
    """(choice, cache, folder of the conversion) of a tiny model, in a cache of the test's own."""
    choice = Embedder(model=str(workshop / "models" / "bert"), backend="onnx", precision="fp32")
    cache = tmp_path / "cache"
    info = describe(choice, cache, offline=True)
    made = place_of(workshop / "cache", info.fingerprint, "fp32")
    place = place_of(cache, info.fingerprint, "fp32")
    shutil.copytree(made, place)
    return choice, cache, place


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


DAMAGE = {
    "flipped": lambda place: flip(place / MODEL),
    "truncated": lambda place: (place / MODEL).write_bytes((place / MODEL).read_bytes()[:-100]),
    "no manifest": lambda place: (place / "manifest.json").unlink(),
    "half a manifest": lambda place: (place / "manifest.json").write_text('{"size": 1'),
    "another runtime": lambda place: (place / "manifest.json").write_text(
        json.dumps(json.loads((place / "manifest.json").read_text()) | {"made": ["0"]})
    ),
}


def test_a_sound_conversion_is_used_as_it_is(own: tuple[Embedder, Path, Path]) -> None:
    choice, cache, place = own
    before = (place / MODEL).stat().st_mtime_ns
    said: list[str] = []
    build(choice, cache, True, on_progress=said.append)
    assert said == []
    assert (place / MODEL).stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(own: tuple[Embedder, Path, Path], damage: str) -> None:
    _, _, place = own
    assert load_checked(place) is not None
    DAMAGE[damage](place)
    assert load_checked(place) is None


def test_a_damaged_conversion_is_made_anew(
    own: tuple[Embedder, Path, Path], workshop: Path
) -> None:
    choice, cache, place = own
    flip(place / MODEL)
    said: list[str] = []
    embedder = build(choice, cache, True, on_progress=said.append)
    assert len(said) == 1
    assert "once" in said[0]
    np.testing.assert_allclose(
        embedder.encode(TEXTS), np.load(workshop / "bert.documents.npy"), atol=1e-5
    )
    assert sorted(path.name for path in place.iterdir()) == ["manifest.json", MODEL]
    assert not list(place.parent.glob(".staged-*"))
    for path in (place, *place.iterdir(), *cache.rglob("*.lock")):
        assert path.stat().st_mode & 0o077 == 0


def test_two_processes_at_once_convert_once(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model")
    script = """
import sys
from pathlib import Path
from ragcli.embedders import build
from ragcli.settings import Embedder
choice = Embedder(model=sys.argv[1], backend="onnx", precision="fp32")
said = []
embedder = build(choice, Path(sys.argv[2]), True, on_progress=said.append)
print(len(said), embedder.encode(["tide"]).shape)
"""
    command = [sys.executable, "-c", script, str(folder), str(tmp_path / "cache")]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [child.communicate(timeout=300) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    assert sorted(out for out, _ in outputs) == ["0 (1, 32)\n", "1 (1, 32)\n"]


def test_a_model_that_cannot_be_converted_is_one_sentence(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(ModelError) as caught:
        build(Embedder(model=str(folder), backend="onnx"), tmp_path / "cache", offline=True)
    assert "could not be converted" in caught.value.message
    assert "\n" not in caught.value.message
    assert not list((tmp_path / "cache").rglob(MODEL))
    assert not list((tmp_path / "cache").rglob(".staged-*"))


def test_a_tokenizer_that_disagrees_with_its_settings_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "bert")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"do_lower_case": False}))
    with pytest.raises(ModelError, match=r"tokenizer.json and its tokenizer_config.json disagree"):
        build(Embedder(model=str(folder), backend="onnx"), tmp_path / "cache", offline=True)


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    choice = Embedder(model=str(make_model(tmp_path / "model")), backend="onnx")
    cache = tmp_path / "file" / "cache"
    assert describe(choice, cache, offline=True).dimension == 32
    with pytest.raises(StorageError, match="cache folder"):
        build(choice, cache, offline=True)


def test_what_a_killed_conversion_left_is_removed(tmp_path: Path) -> None:
    place = place_of(tmp_path, "f" * 64, "int8")
    (place.parent / ".staged-int8-left").mkdir(parents=True)
    (place.parent / ".staged-fp32-other").mkdir()
    with staging(place) as staged:
        assert staged.is_dir()
    assert [path.name for path in place.parent.iterdir()] == [".staged-fp32-other"]


def test_int8_that_strays_is_given_up_and_said(workshop: Path) -> None:
    choice = Embedder(model=str(workshop / "models" / "bert"), backend="onnx")
    said: list[str] = []
    embedder = build(choice, workshop / STRAYED, True, on_progress=said.append)
    assert embedder.precision == "fp32"
    assert len(said) == 1
    assert "computed in fp32" in said[0]


def test_the_default_model_is_converted_within_its_bounds(tmp_path: Path) -> None:
    choice = Embedder()
    info = describe(choice, tmp_path, offline=True)
    assert info.fingerprint == describe(choice, tmp_path, offline=True).fingerprint
    embedder = build(choice, tmp_path, offline=True)
    manifest = json.loads(
        (place_of(tmp_path, info.fingerprint, "int8") / "manifest.json").read_text()
    )
    assert embedder.precision == manifest["precision"] == "int8"
    assert manifest["cosine_min"] > INT8_FLOOR
    question = embedder.encode(["How high is the tide today?"], query=True)
    near, far = embedder.encode(
        ["The tide reached 4.2 metres this morning.", "Bread rises for three hours."]
    )
    assert (question @ near).item() > (question @ far).item() + 0.3
    long = ["The harbour log of the year. " * 200, "Short."]
    alone = np.concatenate([embedder.encode([text]) for text in long])
    assert (embedder.encode(long) * alone).sum(axis=1).min() > 0.999
    embedder.encode(long)
    assert embedder.truncated == [0]

"""The torch backend: the same vectors from a child process, and an explicit device or none."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from workshop import TEXTS

from ragcli.embedders import build
from ragcli.embedders.backend import choose
from ragcli.embedders.sentence_transformers import Options
from ragcli.errors import ConfigError, ModelError
from ragcli.models.frames import receive, send
from ragcli.models.gpu import gpu_trouble
from ragcli.settings import Embedder


def test_torch_in_a_child_computes_the_same(workshop: Path, tmp_path: Path) -> None:
    had_torch = "torch" in sys.modules
    folder = workshop / "models" / "bert-prompts"
    said: list[str] = []
    choice = Embedder(model=str(folder), backend="torch", device="cpu", threads=1)
    embedder = build(choice, tmp_path, True, on_progress=said.append)
    try:
        assert (embedder.backend, embedder.device, embedder.precision) == (
            "torch",
            "cpu",
            "float32",
        )
        assert said == ["Embedding on torch, cpu, float32: as configured."]
        for task in ("documents", "queries"):
            vectors = embedder.encode(TEXTS, query=task == "queries")
            expected = np.load(workshop / f"bert-prompts.{task}.npy")
            np.testing.assert_allclose(vectors, expected, atol=1e-5)
        embedder.encode(["word " * 500, "short"])
        assert embedder.truncated == [0]
        assert embedder.encode([]).shape == (0, 32)
        assert ("torch" in sys.modules) == had_torch
        # A child that is gone is an error of its own, not a broken pipe.
        os.kill(embedder._encoder._child.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match="ended"):
            embedder.encode(["tide"])
    finally:
        embedder.close()


def test_a_device_that_is_not_there_is_an_error(workshop: Path, tmp_path: Path) -> None:
    trouble = gpu_trouble()
    if trouble is None:
        pytest.skip("this machine has a CUDA GPU")
    for backend in ("auto", "torch"):
        choice = Embedder(model=str(workshop / "models" / "bert"), backend=backend, device="cuda")
        with pytest.raises(ModelError, match=trouble):
            build(choice, tmp_path, offline=True)


def test_the_gpu_is_taken_by_choice_or_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        ("auto", "auto", None): ("torch", "cuda"),
        ("auto", "auto", "none"): ("onnx", "cpu"),
        ("auto", "cpu", None): ("onnx", "cpu"),
        ("auto", "cuda", None): ("torch", "cuda"),
        ("torch", "auto", None): ("torch", "cuda"),
        ("torch", "auto", "none"): ("torch", "cpu"),
        ("torch", "cpu", None): ("torch", "cpu"),
        ("onnx", "auto", None): ("onnx", "cpu"),
        ("onnx", "cpu", "none"): ("onnx", "cpu"),
    }
    for (backend, device, trouble), expected in table.items():
        monkeypatch.setattr("ragcli.embedders.backend.gpu_trouble", lambda found=trouble: found)
        options = Options(backend=backend, device=device)  # type: ignore[arg-type]
        assert choose(options)[:2] == expected
    with pytest.raises(ConfigError, match=r"needs embedder\.backend torch"):
        choose(Options(backend="onnx", device="cuda"))


def test_a_frame_is_whole_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with path.open("wb") as stream:
        send(stream, {"shape": [1, 2]}, b"12345678")
        send(stream, {"last": "é"})
    with path.open("rb") as stream:
        assert receive(stream) == ({"shape": [1, 2]}, b"12345678")
        assert receive(stream) == ({"last": "é"}, b"")
        with pytest.raises(EOFError):
            receive(stream)
    path.write_bytes(path.read_bytes()[:-3])
    with path.open("rb") as stream:
        receive(stream)
        with pytest.raises(EOFError):
            receive(stream)

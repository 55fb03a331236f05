"""Maps for questions: in a model's own folder, in one of their own, one on top of another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from models import WIDTH, make_model

from ragcli.embedders import build, describe
from ragcli.embedders.embedder import SentenceEmbedder, adapted
from ragcli.errors import ModelError
from ragcli.settings import Embedder

TEXTS = ["the harbour master", "a river"]


def opened(model: Path, cache: Path, **options: str) -> SentenceEmbedder:
    choice = Embedder(model=str(model), precision="fp32", backend="onnx", **options)
    embedder = build(choice, cache, True, on_progress=lambda _: None)
    assert isinstance(embedder, SentenceEmbedder)
    return embedder


def put_map(folder: Path, seed: int, **facts: str) -> np.ndarray:
    folder.mkdir(exist_ok=True)
    matrix = np.random.default_rng(seed).normal(size=(WIDTH, WIDTH)).astype(np.float32)
    np.save(folder / "query_adapter.npy", matrix, allow_pickle=False)
    (folder / "finetuning.json").write_text(json.dumps(facts))
    return matrix


def test_a_map_in_the_folder_of_a_model_is_for_questions_alone(tmp_path: Path) -> None:
    model, cache = make_model(tmp_path / "model"), tmp_path / "cache"
    plain = opened(model, cache).encode(TEXTS)
    matrix = put_map(model, 1)
    embedder = opened(model, cache)
    assert np.array_equal(embedder.encode(TEXTS), plain)
    assert np.allclose(embedder.encode(TEXTS, query=True), adapted(plain, matrix), atol=1e-6)

    second = np.random.default_rng(2).normal(size=matrix.shape).astype(np.float32)
    both = embedder.mapped(second).encode(TEXTS, query=True)
    assert np.allclose(both, adapted(adapted(plain, matrix), second), atol=1e-5)


def test_a_named_map_takes_the_place_of_the_models_own(tmp_path: Path) -> None:
    model, cache = make_model(tmp_path / "model"), tmp_path / "cache"
    plain = opened(model, cache).encode(TEXTS)
    put_map(model, 1)
    fingerprint = describe(Embedder(model=str(model)), cache, True).fingerprint
    named = put_map(tmp_path / "map", 3, base_fingerprint="another", fingerprint=fingerprint)
    embedder = opened(model, cache, query_adapter=str(tmp_path / "map"))
    assert np.allclose(embedder.encode(TEXTS, query=True), adapted(plain, named), atol=1e-6)


def test_a_map_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    model, cache = make_model(tmp_path / "model"), tmp_path / "cache"
    place = tmp_path / "map"
    with pytest.raises(ModelError, match="There is no map"):
        opened(model, cache, query_adapter=str(place))
    put_map(place, 1, fingerprint="that of another model")
    with pytest.raises(ModelError, match="fitted to the vectors of another model"):
        opened(model, cache, query_adapter=str(place))
    np.save(model / "query_adapter.npy", np.eye(3, dtype=np.float32), allow_pickle=False)
    with pytest.raises(ModelError, match="fitted to the vectors of another model"):
        opened(model, cache)
    (model / "query_adapter.npy").unlink()
    (model / "finetuning.json").write_text('{"map": {"strength": 3.0}}')
    with pytest.raises(ModelError, match="lacks query_adapter"):
        opened(model, cache)

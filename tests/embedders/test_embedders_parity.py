"""What is embedded here equals what sentence-transformers computes on torch, for every kind of model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from workshop import INT8, PROMPTS, TEXTS, VARIANTS

from ragcli.embedders import build, describe
from ragcli.embedders.embedder import SentenceEmbedder
from ragcli.settings import Embedder

SAME_AS_BERT = ("bert-unnormalized", "bert-default-prompt")
"""Every vector is normalised here, and a default prompt is neither for documents nor for questions."""


def open_model(workshop: Path, name: str, **options: object) -> SentenceEmbedder:
    choice = Embedder(model=str(workshop / "models" / name), backend="onnx", threads=1, **options)
    return build(choice, workshop / "cache", offline=True)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("task", ["documents", "queries"])
def test_fp32_equals_sentence_transformers(workshop: Path, name: str, task: str) -> None:
    embedder = open_model(workshop, name, precision="fp32")
    expected = np.load(workshop / f"{name}.{task}.npy")
    vectors = embedder.encode(TEXTS, query=task == "queries")
    assert vectors.dtype == np.float32
    assert vectors.shape == expected.shape == (len(TEXTS), embedder.info.dimension)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert (embedder.backend, embedder.device, embedder.precision) == ("onnx", "cpu", "fp32")


@pytest.mark.parametrize("name", INT8)
def test_int8_stays_near_sentence_transformers(workshop: Path, name: str) -> None:
    embedder = open_model(workshop, name, precision="int8")
    expected = np.load(workshop / f"{name}.documents.npy")
    cosines = (embedder.encode(TEXTS) * expected).sum(axis=1)
    assert embedder.precision == "int8"
    assert cosines.min() > 0.999


@pytest.mark.parametrize("name", VARIANTS)
def test_vectors_have_length_one(workshop: Path, name: str) -> None:
    vectors = open_model(workshop, name, precision="fp32").encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_prompts_are_told_counted_and_can_be_replaced(workshop: Path) -> None:
    folder = workshop / "models" / "bert-prompts"
    info = describe(Embedder(model=str(folder)), workshop / "cache", offline=True)
    assert (info.document_prompt, info.query_prompt) == (PROMPTS["document"], PROMPTS["query"])
    assert info.prompt_tokens == len(["how", "high", ":"])
    bare = open_model(
        workshop, "bert-unnormalized", precision="fp32", document_prompt=PROMPTS["document"]
    )
    asking = open_model(workshop, "bert-prompts", precision="fp32")
    np.testing.assert_allclose(bare.encode(TEXTS), asking.encode(TEXTS), atol=1e-6)
    assert bare.info.fingerprint == asking.info.fingerprint


def test_the_fingerprint_is_of_the_content_and_of_all_of_it(workshop: Path, tmp_path: Path) -> None:
    import shutil

    def fingerprint(folder: Path, **options: str) -> str:
        return describe(Embedder(model=str(folder), **options), tmp_path / "c", True).fingerprint

    original = workshop / "models" / "bert"
    copy = shutil.copytree(original, tmp_path / "copy")
    assert fingerprint(copy) == fingerprint(original)
    names = [name for name in VARIANTS if name not in SAME_AS_BERT]
    prints = {fingerprint(workshop / "models" / name) for name in names}
    assert len(prints) == len(names)
    for name in SAME_AS_BERT:
        assert fingerprint(workshop / "models" / name) == fingerprint(original)
    assert fingerprint(original, document_prompt="passage: ") not in prints
    assert fingerprint(original, query_prompt="question: ") == fingerprint(original)
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert fingerprint(copy) != fingerprint(original)


def test_langchain_sees_lists_of_floats(workshop: Path) -> None:
    embedder = open_model(workshop, "bert", precision="fp32")
    vectors = embedder.embed_documents(TEXTS[:3])
    assert len(vectors) == 3
    assert isinstance(vectors[0][0], float)
    assert embedder.embed_query(TEXTS[0]) == pytest.approx(vectors[0], abs=1e-6)

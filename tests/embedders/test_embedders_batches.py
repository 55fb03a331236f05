"""A vector depends on its text alone: not on its neighbours, their order, or the size of a batch."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import CORPUS
from test_embedders_parity import open_model
from workshop import INT8, TEXTS

from ragcli.embedders.onnx import batches


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 2000))
def test_batches_are_of_one_length_and_keep_the_limit(lengths: list[int], limit: int) -> None:
    found = list(batches(lengths, limit))
    there = [position for position, length in enumerate(lengths) if length]
    assert sorted(position for batch in found for position in batch) == there
    for batch in found:
        assert len({lengths[position] for position in batch}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= limit


@pytest.mark.parametrize("name", INT8)
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_alone_or_in_any_company(workshop: Path, name: str, precision: str) -> None:
    embedder = open_model(workshop, name, precision=precision)
    together = embedder.encode(TEXTS)
    alone = np.concatenate([embedder.encode([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 0.9999
    order = list(range(len(TEXTS)))
    random.Random(5).shuffle(order)
    shuffled = embedder.encode([TEXTS[position] for position in order])
    assert (shuffled * together[order]).sum(axis=1).min() > 0.9999
    small = open_model(workshop, name, precision=precision, batch_tokens=16).encode(TEXTS)
    assert (small * together).sum(axis=1).min() > 0.9999


def test_the_same_call_gives_the_same_bits(workshop: Path) -> None:
    embedder = open_model(workshop, "bert")
    assert np.array_equal(embedder.encode(TEXTS), embedder.encode(TEXTS))


def test_nothing_in_nothing_out(workshop: Path) -> None:
    embedder = open_model(workshop, "bert")
    assert embedder.encode([]).shape == (0, embedder.info.dimension)
    assert embedder.embed_documents([]) == []
    assert np.isfinite(
        embedder.encode(["", "\x00", "\ud83d".encode("utf-16", "replace").decode("utf-16")])
    ).all()


def test_more_texts_than_are_read_at_once(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragcli.embedders.onnx.WINDOW", 5)
    embedder = open_model(workshop, "bert", precision="fp32")
    expected = np.load(workshop / "bert.documents.npy")
    np.testing.assert_allclose(embedder.encode(TEXTS), expected, atol=1e-5)
    assert all(len(TEXTS[position]) > 40 for position in embedder.truncated)


def test_a_text_that_is_cut_is_named(workshop: Path) -> None:
    embedder = open_model(workshop, "bert")
    embedder.encode([CORPUS[0], CORPUS[1] * 50, CORPUS[2]])
    assert embedder.truncated == [1]
    embedder.encode([CORPUS[0]])
    assert embedder.truncated == []

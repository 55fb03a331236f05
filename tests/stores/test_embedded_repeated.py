"""A store for many vectors of which most are the same: nothing to learn lists from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ragcli.stores import embedded


@pytest.mark.parametrize("distinct", [1, 10, 100])
def test_fewer_distinct_vectors_than_lists(distinct: int, tmp_path: Path) -> None:
    options = embedded.Options(exact_below=100)
    store = embedded.build(options, tmp_path)
    vectors = np.random.default_rng(0).normal(size=(distinct, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store.reset(8, 2000, vectors)
    many = vectors[np.arange(2000) % distinct]
    store.add(np.arange(2000, dtype=np.int64), many)
    found = store.search(many[7 % distinct], 3)
    assert {number % distinct for number, _ in found} == {7 % distinct}

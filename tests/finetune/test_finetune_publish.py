"""The card of a result: what it says can be done with the folder is done with it here."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ragcli.embedders.embedder import adapted
from ragcli.embedders.info import EmbedderInfo
from ragcli.embedders.lineage import ADAPTER
from ragcli.finetune.publish import write_facts

ABOUT = {
    "name": "tuned",
    "data": "pairs.jsonl",
    "examples": 30,
    "proof": {"dense": {"before": 0.5, "after": 0.6, "verdict": "better"}},
}
FITTED = {**ABOUT, "recipe": {"mode": "adapter", "strength": 1.0, "seed": 7}}
TRAINED = {**ABOUT, "recipe": {"loss": "mnrl", "seed": 7}}


def card(folder: Path, told: dict[str, Any], model: str = "acme/small") -> str:
    base = EmbedderInfo(model, "f" * 64, 4, 64, folder, folder, "hub", query_prompt='ask "it": ')
    write_facts(folder, base, told)
    return (folder / "README.md").read_text()


def test_a_map_has_a_card_that_says_how_to_apply_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = card(tmp_path, FITTED)
    assert "loads in sentence-transformers as it is" not in said and "onnx/" not in said
    assert "A map for acme/small, fitted by" in said
    assert "| dense | 0.500 | 0.600 | better |" in said
    # The Hub would offer to load what names a library.
    assert said.startswith("---\nbase_model: acme/small\n---\n")

    vectors = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    matrix = np.random.default_rng(2).normal(size=(4, 4)).astype(np.float32)
    np.save(tmp_path / ADAPTER, matrix)
    asked = []

    def encode(texts: list[str], **options: Any) -> np.ndarray:
        asked.append(options)
        return vectors

    def load(name: str) -> SimpleNamespace:
        assert name == "acme/small"
        return SimpleNamespace(encode=encode)

    library = SimpleNamespace(SentenceTransformer=load)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", said, re.DOTALL)
    assert code
    scope: dict[str, Any] = {}
    exec(code[1], scope)
    assert asked == [{"prompt": 'ask "it": ', "normalize_embeddings": True}]
    np.testing.assert_allclose(scope["vectors"], adapted(vectors, matrix), rtol=1e-5)


def test_a_model_has_the_card_of_one(tmp_path: Path) -> None:
    said = card(tmp_path, TRAINED)
    assert "library_name: sentence-transformers" in said and "base_model: acme/small" in said
    assert "acme/small, tuned by" in said and "It loads in sentence-transformers as it is" in said
    assert ADAPTER not in said
    assert ADAPTER in card(tmp_path, {**TRAINED, "map": {"strength": 1.0}})


@pytest.mark.parametrize("told", [FITTED, TRAINED])
def test_a_folder_is_not_named_to_the_hub_as_a_model_of_its_own(
    told: dict[str, Any], tmp_path: Path
) -> None:
    assert "base_model" not in card(tmp_path, told, "/home/me/base")

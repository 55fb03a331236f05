"""Cross-encoders against sentence-transformers itself, and what is said of folders that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import make_cross_encoder, make_model

from ragcli.errors import ConfigError, ModelError, NetworkError
from ragcli.rerankers import RERANKERS, build
from ragcli.rerankers.reranker import Reranker
from ragcli.settings import Reranker as Choice

sys.path.insert(0, str(Path(__file__).parent))

from cross_workshop import KINDS, PAIRS, QUESTION

TEXTS = [text for _, text in PAIRS]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cross")
    script = Path(__file__).with_name("cross_workshop.py")
    subprocess.run([sys.executable, str(script), str(root)], check=True, capture_output=True)
    return root


def opened(model: Path | str, cache: Path, **options: object) -> Reranker:
    choice = Choice(use="cross-encoder", model=str(model), threads=1, **options)
    return build(choice, cache, True, keys={}, on_progress=lambda _: None)


def logits(scores: list[float]) -> np.ndarray:
    chances = np.array(scores)
    return np.log(chances / (1 - chances))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_sentence_transformers(root: Path, kind: str) -> None:
    expected = np.load(root / f"{kind}.npy")
    reranker = opened(root / "models" / kind, root / "cache", precision="fp32")
    found = reranker.score(QUESTION, TEXTS)
    assert logits(found) == pytest.approx(expected.tolist(), abs=1e-3)
    assert np.ptp(expected) > 0.3
    assert reranker.score(QUESTION, TEXTS[::-1]) == pytest.approx(found[::-1], abs=1e-6)
    assert [reranker.score(QUESTION, [text])[0] for text in TEXTS] == pytest.approx(found, abs=1e-6)
    assert reranker.score(QUESTION, []) == []
    reranker.close()


@pytest.mark.parametrize("kind", KINDS)
def test_int8_stays_near(root: Path, kind: str) -> None:
    expected = np.load(root / f"{kind}.npy")
    found = opened(root / "models" / kind, root / "cache").score(QUESTION, TEXTS)
    assert np.abs(logits(found) - expected).max() < 0.15 * np.ptp(expected)


def test_a_model_that_scores_nothing_is_one_sentence(tmp_path: Path) -> None:
    embedder = make_model(tmp_path / "embedder")
    two = make_cross_encoder(tmp_path / "two", labels=2)
    code = make_cross_encoder(tmp_path / "code")
    config = json.loads((code / "config.json").read_text())
    (code / "config.json").write_text(
        json.dumps({**config, "auto_map": {"AutoModel": "evil.Evil"}})
    )
    bare = make_cross_encoder(tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    for folder, why in (
        (embedder, "no cross-encoder"),
        (two, "2 classes"),
        (code, "code of its own"),
        (bare, "no safetensors"),
        (tmp_path / "nothing", "no model"),
    ):
        with pytest.raises(ModelError, match=why) as error:
            opened(folder, tmp_path / "cache")
        assert "reranker.model" in error.value.fix


def test_one_that_would_have_to_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="not on this machine"):
        opened("cross-encoder/no-such-model", tmp_path)


def test_what_a_plug_does_not_know_is_refused(tmp_path: Path) -> None:
    for use in RERANKERS:
        choice = Choice(use=use, colour="blue")
        with pytest.raises(ConfigError, match="colour"):
            build(choice, tmp_path, True, keys={}, on_progress=lambda _: None)

"""What a run is said to cost: the training, and what is known to follow it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ragcli.finetune import afterwards
from ragcli.finetune.afterwards import SAMPLED, expect
from ragcli.finetune.material import Material, Question
from ragcli.finetune.recipe import Prepared
from ragcli.finetune.split import Parts

EACH = 0.002
"""Seconds for a text."""


class Slow:
    """An embedder that takes its time with each text, on a clock of its own."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode(self, texts: list[str], *, query: bool = False) -> None:
        self.asked.append(len(texts))

    def monotonic(self) -> float:
        return sum(self.asked) * EACH


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(afterwards, "time", slow)
    return slow


def corpus(count: int) -> Any:
    """As much of a `Ground` as is looked at."""
    chunk = SimpleNamespace(title=None, heading=(), text="words")
    ledger = SimpleNamespace(chunks=lambda keys: dict.fromkeys(keys, chunk))
    return SimpleNamespace(
        names=dict.fromkeys(range(count), "p"), collection=SimpleNamespace(ledger=ledger)
    )


def ready(embedder: Slow, chunks: int, probed: int = 0) -> Prepared:
    questions = {f"q{n}": Question("who?") for n in range(900)}
    material = Material("data", "pairs", {}, questions, {})
    ids, none = tuple(questions), frozenset[str]()
    parts = Parts(ids[:800], ids[800:], (), none, none, by_document=True)
    before: Any = {"dense": dict.fromkeys(map(str, range(100)), 0.5)}
    probe: Any = None
    if probed:
        asked = {"dense": dict.fromkeys(map(str, range(probed)), 0.5)}
        probe = SimpleNamespace(ground=corpus(chunks), before=asked)
    return Prepared(material, parts, corpus(chunks), before, probe, embedder, asking=3.0)


def test_what_follows_is_told_from_a_sample_and_from_what_the_base_took(embedder: Slow) -> None:
    found = expect(ready(embedder, 5000), mapped=False)
    assert found == pytest.approx(5000 * EACH + 3.0)
    assert embedder.asked == [SAMPLED]
    again = expect(ready(embedder, 5000, probed=200), mapped=True)
    assert again == pytest.approx((2 * 5000 + 900) * EACH + 3 * 3.0)


def test_a_small_corpus_is_embedded_whole_for_it(embedder: Slow) -> None:
    assert expect(ready(embedder, 3), mapped=False) == pytest.approx(3 * EACH + 3.0)
    assert embedder.asked == [3]

"""Batches never hold an answer to one row's question as a wrong one, and depend on seed and epoch only."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from ragcli.finetune.dataset import Facts

SCRIPT = "import sys; sys.path[:0] = {path!r}; import test_finetune_batches as t; t.check()"


def facts(seed: int = 0) -> Facts:
    """60 questions about 25 passages: many share an answer."""
    draw = random.Random(seed)
    made = Facts()
    for question in range(60):
        relevant = frozenset(f"p{draw.randrange(25)}" for _ in range(draw.randrange(1, 7)))
        for passage in sorted(relevant):
            wrong = draw.choice([f"p{n}" for n in range(25) if f"p{n}" not in relevant])
            made.add(str(question), (passage, wrong), relevant)
    return made


def check() -> None:
    from ragcli.finetune.batches import Apart

    known = facts()
    sampler = Apart(known, 8, 5, apart=True, classes=False)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert {len(batch) <= 8 for batch in batches} == {True}
        for batch in batches:
            for row in batch:
                others = [other for other in batch if other != row]
                assert all(known.questions[other] != known.questions[row] for other in others)
                assert all(not known.relevant(row) & known.passages(other) for other in others)
        again = Apart(known, 8, 5, apart=True, classes=False)
        again.set_epoch(epoch)
        assert list(again) == batches
    sampler.set_epoch(0)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    topical = Facts()
    for n in range(200):
        topical.add(f"q{n}", [f"p{n}"], [f"p{n}"], n % 5)
    batches = list(Apart(topical, 8, 5, apart=True, classes=False))
    # Forty rows make five batches: none spans two topics.
    assert all(len({topical.topics[row] for row in batch}) == 1 for batch in batches)
    assert sorted(row for batch in batches for row in batch) == list(range(200))


def test_known_answers_never_meet() -> None:
    pytest.importorskip("datasets", reason="training needs the package datasets")
    path = [part for part in sys.path if part]
    # The sampler's base class is torch's, which shares no process with FAISS.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(path=[str(__file__).rsplit("/", 1)[0], *path])],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]

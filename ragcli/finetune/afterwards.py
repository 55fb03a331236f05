"""How long what follows a training will take: the corpus embedded anew, and every question asked again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ragcli.finetune.excerpts import embedded
from ragcli.finetune.ground import Ground
from ragcli.finetune.recipe import Prepared

SAMPLED = 64
"""Texts of each kind that are embedded to see how long all of them take."""


def expect(ready: Prepared, *, mapped: bool) -> float:
    """Seconds from the end of the training to the verdict, less the export of the tuned model.

    The base, which is as fast as the tuned model, embeds a sample; how long it took to ask is known.
    `mapped` says that questions are embedded for a map too.
    """
    seconds = sum(_chunks(ground, ready.embedder) for ground in ready.grounds)
    if mapped:
        ids = [*ready.parts.train, *ready.parts.development]
        texts = [ready.material.questions[id].text for id in _some(ids)]
        seconds += _embedding(texts, len(ids), ready.embedder)
    judging, general = len(ready.before["dense"]), 0
    if ready.probe:
        general = len(ready.probe.before["dense"])
    return seconds + ready.asking * (judging + general) / max(1, judging)


def _chunks(ground: Ground, embedder: Any) -> float:
    keys = sorted(ground.names)
    chunks = ground.collection.ledger.chunks(list(_some(keys)))
    return _embedding([embedded(chunk) for chunk in chunks.values()], len(keys), embedder)


def _embedding(texts: list[str], of: int, embedder: Any) -> float:
    started = time.monotonic()
    embedder.encode(texts)
    return (time.monotonic() - started) * of / max(1, len(texts))


def _some(all: list[Any]) -> Iterator[Any]:
    """At most `SAMPLED` of them, from everywhere."""
    count = min(SAMPLED, len(all))
    return (all[at * len(all) // count] for at in range(count))

"""Decides whether the passages support a sentence that a model wrote, and which of their words do.

A figure or a name that stands in none of the cited passages is decisive. For the rest a small
network, fitted on sentences with planted faults, weighs what `sight` sees (see support.json,
written by benchmarks/citation_check.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.answer.claims import Claim
from ragcli.answer.evidence import Evidence, Piece
from ragcli.answer.model import Network, probability
from ragcli.answer.sight import Sight, look

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = Path(__file__).with_name("support.json")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence is supported, why not, and the units of the passages that it rests on."""

    supported: bool
    chance: float
    reason: str | None
    rests_on: list[Piece]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The network that weighs a claim, and the probability from which it is supported."""

    network: Network
    threshold: float


def check(evidence: Evidence, claim: Claim, *, least: float | None = None) -> Verdict:
    """Check a claim against the passages it cites, or against all of them where it cites none.

    `least` is the probability from which a claim counts as supported; by default as fitted.
    """
    numbers = range(1, len(evidence.hits) + 1)
    absent = [n for n in claim.cited if n not in numbers and not evidence.says(f"[{n}]")]
    cited = [n - 1 for n in claim.cited if n in numbers]
    sight = look(evidence, claim.said, cited)
    fitted = weights(evidence.compares)
    chance = float(_chance(fitted.network, [sight.row])[0])
    reason = decisive(absent, cited, sight)
    if reason is None and chance < (fitted.threshold if least is None else least):
        reason = _unconvincing(cited, sight)
    return Verdict(
        reason is None, chance if reason is None else 0.0, reason, [*sight.rests_on, *sight.beside]
    )


@lru_cache(maxsize=2)
def weights(with_vectors: bool, file: Path = FILE) -> Fitted:
    """The fitted numbers; read once."""
    part = json.loads(file.read_text(encoding="utf-8"))[
        "with_vectors" if with_vectors else "words_only"
    ]
    return Fitted(network(part["claim"]), part["threshold"])


def network(fitted: Mapping[str, Any]) -> Network:
    """The network that these numbers describe."""
    import numpy as np

    def matrix(values: Any) -> NDArray[np.float32]:
        return np.array(values, dtype=np.float32)

    return Network(
        tuple(fitted["inputs"]),
        matrix(fitted["mean"]),
        matrix(fitted["scale"]),
        tuple((matrix(weight), matrix(bias)) for weight, bias in fitted["layers"]),
    )


def _chance(network: Network, rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    import numpy as np

    return probability(network.logits(np.array(rows, dtype=np.float32)))


def decisive(absent: Sequence[int], cited: Sequence[int], sight: Sight) -> str | None:
    """Why a claim cannot be supported whatever its wording; None where the wording decides."""
    if absent:
        return f"There is no passage {', '.join(f'[{n}]' for n in absent)}."
    lacking = _does_not(cited)
    if sight.missing_figures:
        return f"{lacking} give {', '.join(sight.missing_figures)}."
    if sight.missing_names:
        return f"{lacking} name {', '.join(sight.missing_names)}."
    return None


def _unconvincing(cited: Sequence[int], sight: Sight) -> str:
    if cited and sight.elsewhere is not None:
        return f"{_does_not(cited)} say this; another passage may."
    return f"{_does_not(cited)} say this."


def _does_not(cited: Sequence[int]) -> str:
    if not cited:
        return "The passages do not"
    return "The cited passage does not" if len(cited) == 1 else "The cited passages do not"

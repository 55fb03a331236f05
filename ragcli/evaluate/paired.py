"""Whether two runs differ, question by question: bootstrap interval, randomisation test, a verdict.

Both tests are paired: the same questions were asked of both. Efron and Tibshirani 1993 (percentile
bootstrap); Smucker, Allan and Carterette 2007 (randomisation test for retrieval).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

ROUNDS = 10_000
SEED = 7
LEVEL = 0.95
_CELLS = 4_000_000
"""Numbers drawn at a time, so that memory stays small for any number of questions."""

Verdict = Literal["better", "worse", "no difference that this set can show"]


@dataclass(frozen=True, slots=True)
class Difference:
    """B against A on one measure: means, mean difference B - A, its interval, the p-value.

    `p` is two-sided: the chance of a difference this large were the two runs exchangeable.
    """

    a: float
    b: float
    difference: float
    interval: tuple[float, float]
    p: float
    questions: int

    @property
    def verdict(self) -> Verdict:
        """Better or worse only where the interval leaves out 0 and the test agrees."""
        low, high = self.interval
        if self.p > 1 - LEVEL or low <= 0 <= high:
            return "no difference that this set can show"
        return "better" if self.difference > 0 else "worse"


def compare(a: Mapping[str, float], b: Mapping[str, float], *, seed: int = SEED) -> Difference:
    """Compare the values of two runs over the questions that both have."""
    import numpy as np

    shared = sorted(a.keys() & b.keys())
    first = np.array([a[id] for id in shared], np.float64)
    second = np.array([b[id] for id in shared], np.float64)
    if not shared:
        return Difference(0.0, 0.0, 0.0, (0.0, 0.0), 1.0, 0)
    gaps = second - first
    return Difference(
        float(first.mean()),
        float(second.mean()),
        float(gaps.mean()),
        _interval(gaps, seed),
        _chance(gaps, seed),
        len(shared),
    )


def interval(values: Mapping[str, float], *, seed: int = SEED) -> tuple[float, float]:
    """The bootstrap interval of a mean over questions."""
    import numpy as np

    if not values:
        return 0.0, 0.0
    return _interval(np.array([values[id] for id in sorted(values)], np.float64), seed)


def _interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    import numpy as np

    random = np.random.default_rng(seed)
    means = [
        values[random.integers(0, len(values), (rounds, len(values)))].mean(axis=1)
        for rounds in _portions(len(values))
    ]
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return float(low), float(high)


def _chance(gaps: np.ndarray, seed: int) -> float:
    """Two-sided p-value of the mean: how often random signs bring one at least as far from 0."""
    import numpy as np

    random = np.random.default_rng(seed)
    # Sums of the same numbers in another order differ in the last digits: that is no difference.
    seen = abs(gaps.sum()) - 1e-9
    as_far = 0
    for rounds in _portions(len(gaps)):
        signs = random.integers(0, 2, (rounds, len(gaps)), np.int8) * 2 - 1
        as_far += int((np.abs(signs @ gaps) >= seen).sum())
    return (as_far + 1) / (ROUNDS + 1)


def _portions(length: int) -> Sequence[int]:
    size = max(1, min(ROUNDS, _CELLS // length))
    whole, rest = divmod(ROUNDS, size)
    return [size] * whole + ([rest] if rest else [])

"""How good probabilities are: ranking, calibration, and what is answered rightly at each limit."""

from __future__ import annotations

from typing import Any

import numpy as np


def auroc(chances: Any, positive: Any) -> float:
    """The probability that a positive is ranked above a negative (Mann-Whitney U)."""
    values, ranks = np.unique(chances, return_inverse=True)
    counts = np.bincount(ranks)
    midrank = (np.cumsum(counts) - counts + (counts + 1) / 2)[ranks]
    ours = int(positive.sum())
    others = len(positive) - ours
    return (
        float((midrank[positive].sum() - ours * (ours + 1) / 2) / (ours * others))
        if values.size
        else 0.0
    )


def calibration_error(chances: Any, right: Any, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017)."""
    at = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        abs(chances[at == b].mean() - right[at == b].mean()) * (at == b).mean()
        for b in range(bins)
        if (at == b).any()
    ]
    return float(sum(gaps))


def trade_off(chances: Any, right: Any, absent: Any, limits: Any) -> list[dict[str, float]]:
    """What happens at each limit, from the chances of answerable and of unanswerable questions.

    `answered` is the share of answerable questions that get an answer, `right` the share of those
    answers that are right, `false` the share of unanswerable questions that get an answer.
    """
    points = []
    for limit in limits:
        given = chances >= limit
        points.append(
            {
                "limit": round(float(limit), 3),
                "answered": round(float(given.mean()), 4),
                "right": round(float(right[given].mean()) if given.any() else 1.0, 4),
                "false": round(float((absent >= limit).mean()), 4),
            }
        )
    return points

"""Blends the base and the tuned weights, and chooses the share on the development part.

theta = (1 - share) * base + share * tuned: WiSE-FT (Wortsman et al. 2022), LM-Cocktail (Xiao et
al. 2023). A share of 0 is the base.
"""

from __future__ import annotations

from typing import Any


def blend(
    run: Any, base: dict[str, Any], known: dict[float, float], shares: list[float]
) -> tuple[float, dict[float, float]]:
    """Leave the best blend in the model; its share, and nDCG@10 by share. The smaller wins a tie."""
    tuned = {name: tensor.detach().clone() for name, tensor in run.plain_weights().items()}
    scores = dict(known)
    for share in shares:
        put(run, base, tuned, share)
        scores[share] = run.evaluator.measure(run.model)
    best = max(sorted(scores), key=lambda share: (round(scores[share], 6), -share))
    put(run, base, tuned, best)
    return best, scores


def put(run: Any, base: dict[str, Any], tuned: dict[str, Any], share: float) -> None:
    """Set the weights of the model to a blend."""
    import torch

    weights = run.plain_weights()
    with torch.no_grad():
        for name, tensor in weights.items():
            if not tensor.is_floating_point():
                continue
            if share == 1:
                tensor.copy_(tuned[name])
            else:
                tensor.copy_(torch.lerp(base[name].float(), tuned[name].float(), share))

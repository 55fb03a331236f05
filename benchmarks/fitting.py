"""Fits small networks on lists of candidates, and chooses limits; used by calibrate_answers.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from chances import auroc, calibration_error

from ragcli.answer.model import Network
from ragcli.answer.pick import SHORT

Net = Network
SEED = 7
BATCH = 64
RATE = 6e-3
DECAY = 1e-3
WORTHS = (0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.006, 0.01, 1.0)
PRICE = 0.0015
"""What a further word may cost: containment gained, in share of the questions, per word."""


@dataclass(slots=True)
class Lists:
    """For each list of candidates: features, which are right, which hold the words, lengths."""

    names: tuple[str, ...]
    rows: list[Any]
    right: list[Any]
    held: list[Any]
    lengths: list[Any]

    def only(self, chosen: Any) -> Lists:
        """The lists of a fold."""
        at = np.flatnonzero(chosen)
        parts = (self.rows, self.right, self.held, self.lengths)
        return Lists(self.names, *([part[n] for n in at] for part in parts))

    def chosen(self, n: int, odds: Any, worth: float, most: int) -> Any:
        """The candidates that `pick` would take, copies left aside."""
        order = np.argsort(-odds, kind="stable")[:most]
        shares = np.exp(odds - odds.max())
        values = shares / shares.sum() / np.maximum(self.lengths[n], SHORT)
        further = values[order] >= worth
        further[0] = True
        return order[np.logical_and.accumulate(further)]


def fit(lists: Lists, *, hidden: int, epochs: int) -> Net:
    """A network of one hidden layer: right or wrong for each candidate, and the right ones ahead.

    The loss is binary cross-entropy over candidates plus, in lists that hold a right one, the
    softmax cross-entropy of the list. Candidates that hold the words by chance are left out.
    """
    torch.manual_seed(SEED)
    flat = np.concatenate(lists.rows)
    mean, scale = flat.mean(axis=0), flat.std(axis=0)
    scale[scale < 1e-3] = 1.0
    inputs = torch.from_numpy(np.clip((flat - mean) / scale, -5, 5).astype(np.float32))
    right = torch.from_numpy(np.concatenate(lists.right).astype(np.float32))
    counted = right.bool() | ~torch.from_numpy(np.concatenate(lists.held))
    rows = _Rows(lists)
    net = torch.nn.Sequential(
        torch.nn.Linear(inputs.shape[-1], hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1)
    )
    steps = epochs * -(-len(lists.rows) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(lists.rows)).split(BATCH):
            at, real = rows.of(batch)
            optimizer.zero_grad()
            odds = net(inputs[at])[..., 0]
            _loss(odds, right[at] * real, (counted[at] & real).float()).backward()
            optimizer.step()
            schedule.step()
    layers = tuple(
        (part.weight.detach().numpy().T, part.bias.detach().numpy()) for part in (net[0], net[2])
    )
    return Net(lists.names, mean, scale, layers)


class _Rows:
    """Where the candidates of each list stand among all."""

    def __init__(self, lists: Lists) -> None:
        self.lengths = torch.tensor([len(rows) for rows in lists.rows])
        self.starts = torch.cumsum(self.lengths, dim=0) - self.lengths

    def of(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions of the candidates of some lists, and which are real: short lists are filled up."""
        span = torch.arange(int(self.lengths[batch].max()))
        real = span < self.lengths[batch][:, None]
        return (self.starts[batch][:, None] + span) * real, real


def _loss(odds: torch.Tensor, right: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    each = torch.nn.functional.binary_cross_entropy_with_logits(odds, right, reduction="none")
    loss = (each * counted).sum()
    has = right.sum(dim=1) > 0
    if odds.shape[1] > 1 and has.any():
        every = odds[has].masked_fill(counted[has] == 0, -1e4)
        ours = every.masked_fill(right[has] == 0, -1e4)
        loss = loss + (torch.logsumexp(every, 1) - torch.logsumexp(ours, 1)).sum()
    return loss / len(odds)


def worth_of(
    lists: Lists, odds: Sequence[Any], answerable: Any, most: int
) -> tuple[float, list[Any]]:
    """The least worth of a further sentence, chosen so that a word more costs at most PRICE.

    Also the curve it was chosen from: worth, share of answerable lists answered, mean words.
    """
    curve = []
    for worth in WORTHS:
        hit, words = [], []
        for n in np.flatnonzero(answerable):
            chosen = lists.chosen(n, odds[n], worth, most)
            hit.append(lists.right[n][chosen].any())
            words.append(lists.lengths[n][chosen].sum())
        curve.append([worth, round(float(np.mean(hit)), 4), round(float(np.mean(words)), 1)])
    best = max(curve, key=lambda point: point[1] - PRICE * point[2])
    return best[0], curve


def at_threshold(logits: Any, shift: float, answerable: Any, right: Any) -> dict[str, float]:
    """The figures where an answer is given from log odds of -`shift` on.

    `expected_calibration_error` is that of the log odds as fitted; `balanced_threshold` the
    probability, shifted, that maximises the mean of the share of answerable questions that are
    answered and the share of unanswerable ones that are not.
    """
    chances = 1 / (1 + np.exp(-(logits + shift)))
    limits = np.round(np.arange(0.02, 0.99, 0.01), 2)
    balance = [
        ((chances[answerable] >= t).mean() + (chances[~answerable] < t).mean()) / 2 for t in limits
    ]
    given = chances >= 0.5
    return {
        "answered_of_answerable": round(float(given[answerable].mean()), 4),
        "answered_of_unanswerable": round(float(given[~answerable].mean()), 4),
        "right_of_answered": round(float(right[given & answerable].mean()), 4),
        "auroc": round(auroc(chances, answerable), 4),
        "expected_calibration_error": round(calibration_error(1 / (1 + np.exp(-logits)), right), 4),
        "balanced_threshold": float(limits[int(np.argmax(balance))]),
        "balanced_accuracy": round(float(max(balance)), 4),
    }

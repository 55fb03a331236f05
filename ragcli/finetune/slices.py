"""Embeds a batch in slices of like length, each at its own width, within a budget of kept memory.

A batch stays one batch to the loss: only the passes through the model are cut. Slices beyond the
budget keep no activations and are computed again on the way back (Chen et al. 2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch.utils.checkpoint import checkpoint

from ragcli.models.allocator import give_back

SLICE_TOKENS = {"cpu": 4096, "cuda": 65_536}
KEPT_BYTES = {"cpu": 800_000_000, "cuda": 20_000_000_000}
"""Activations kept for the way back."""
STEP = 32
"""Widths are multiples of this: blocks of few sizes leave few holes in the memory."""
TIDY_STEPS = 8
"""Steps after which the holes that blocks of unlike sizes left are given back."""
PER_VALUE = {"bf16": 70, "fp32": 108}
"""Bytes that a layer keeps for each token and each place of the hidden state."""


class Sliced(SentenceTransformer):  # type: ignore[misc]
    """A SentenceTransformer whose training passes are cut; saved, it is like any other."""

    room: float = float("inf")
    """Tokens whose activations are kept in one step."""
    _held = 0
    _steps = 0

    def allow(self, precision: str) -> None:
        """Set `room` for this model."""
        self.room = KEPT_BYTES[_kind(self)] / self.bytes_per_token(precision)

    def bytes_per_token(self, precision: str) -> int:
        """What a token's activations take, about."""
        config = self[0].auto_model.config
        return int(PER_VALUE[precision] * config.hidden_size * config.num_hidden_layers)

    def begin_step(self) -> None:
        """What earlier steps kept is gone."""
        self._held = 0
        self._steps += 1
        if self._steps % TIDY_STEPS == 0:
            give_back()

    def forward(self, input: dict[str, Any], **named: Any) -> dict[str, Any]:
        """The features with `sentence_embedding`, in the order of the rows.

        Cut alike with and without gradients: losses that embed twice replay the same dice.
        """
        mask = input.get("attention_mask")
        if not self.training or mask is None or mask.ndim != 2:
            whole: dict[str, Any] = super().forward(input, **named)
            return whole
        widths = mask.sum(dim=1).tolist()
        padded_right = bool(mask[:, 0].all())
        parts, order = [], list[int]()
        for rows, width in cut(widths, mask.shape[1], SLICE_TOKENS[_kind(self)]):
            part = _portion(input, rows, width if padded_right else mask.shape[1])
            parts.append(self._embedded(part, len(rows) * width, named))
            order += rows
        back = torch.argsort(torch.tensor(order, device=mask.device))
        return {**input, "sentence_embedding": torch.cat(parts)[back]}

    def _embedded(self, part: dict[str, Any], tokens: int, named: dict[str, Any]) -> Any:
        plain = super().forward

        def embed(ids: Any) -> Any:
            return plain({**part, "input_ids": ids}, **named)["sentence_embedding"]

        self._held += tokens
        if self._held <= self.room or not torch.is_grad_enabled():
            return embed(part["input_ids"])
        return checkpoint(embed, part["input_ids"], use_reentrant=False)


def cut(widths: list[int], whole: int, most: int) -> Iterator[tuple[list[int], int]]:
    """Rows of like length, longest first, with the width of each slice; at most so many tokens."""
    order = sorted(range(len(widths)), key=lambda row: -widths[row])
    at = 0
    while at < len(order):
        width = min(-(-max(1, widths[order[at]]) // STEP) * STEP, whole)
        count = max(1, most // width)
        yield order[at : at + count], width
        at += count


def _portion(features: dict[str, Any], rows: list[int], width: int) -> dict[str, Any]:
    count, whole = features["attention_mask"].shape
    part: dict[str, Any] = {}
    for name, value in features.items():
        if isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == count:
            value = value[rows]
            if value.ndim > 1 and value.shape[1] == whole:
                value = value[:, :width]
        part[name] = value
    return part


def _kind(model: Any) -> str:
    return "cuda" if model.device.type == "cuda" else "cpu"

"""Attention as one operator of ONNX Runtime, for the exporting child: one pass, and no score matrix.

transformers looks attention up by name; the function registered here computes the same in torch and
exports as `MultiHeadAttention`. It takes no mask, because texts are never padded.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface

FUSED = "ragcli_fused"
FUSABLE = {"bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert"}
"""Model types whose tokens all see each other and that add nothing to the scores."""


class _MultiHeadAttention(torch.autograd.Function):  # type: ignore[misc]
    """Queries, keys and values of shape (n, t, heads * d) to outputs of the same shape."""

    @staticmethod
    def symbolic(graph: Any, query: Any, key: Any, value: Any, heads: int, scale: float) -> Any:
        """What the exporter writes instead of the computation."""
        output = graph.op(
            "com.microsoft::MultiHeadAttention", query, key, value, num_heads_i=heads, scale_f=scale
        )
        output.setType(query.type())
        return output

    @staticmethod
    def forward(
        context: Any, query: Tensor, key: Tensor, value: Tensor, heads: int, scale: float
    ) -> Tensor:
        """The same in torch, which the exporter runs to learn the shapes."""
        q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
        out: Tensor = functional.scaled_dot_product_attention(q, k, v, scale=scale)
        return out.transpose(1, 2).flatten(2)


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """The signature that transformers calls: (n, heads, t, d) in, (n, t, heads, d) out."""
    heads, width = int(query.shape[1]), int(query.shape[3])
    scale = float(width**-0.5 if scaling is None else scaling)
    flat = [part.transpose(1, 2).flatten(2) for part in (query, key, value)]
    out: Tensor = _MultiHeadAttention.apply(*flat, heads, scale)
    return out.unflatten(-1, (heads, width)), None


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def register() -> None:
    """Make the fused attention known to transformers under the name `FUSED`."""
    AttentionInterface.register(FUSED, _attend)
    AttentionMaskInterface.register(FUSED, _no_mask)

"""Dynamic int8 on a processor: weights per output channel, activations per token, by torch's own kernels.

torch's ready-made dynamic quantization gives one scale to all tokens of a prompt, so a single large
activation, which language models are known for (Dettmers et al. 2022, LLM.int8), costs all others
their precision. Here every token is scaled to one before it is quantized, and back afterwards.
"""

from __future__ import annotations

from typing import Any

import torch

from ragcli.errors import ModelError

LEAST_SHARE = 0.5
TINY = 1e-12


class Int8Linear(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """A linear layer of int8 weights (out, in); inputs (..., in) and outputs (..., out) in float32."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scales = weight.abs().amax(dim=1).clamp_min(TINY) / 127
        points = torch.zeros(len(scales), dtype=torch.int64)
        packed = torch.quantize_per_channel(weight, scales, points, 0, torch.qint8)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = None if linear.bias is None else linear.bias.detach().float()
        self._packed = torch.ops.quantized.linear_prepack(packed, None)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """inputs @ weight.T + bias."""
        scale = inputs.abs().amax(dim=-1, keepdim=True).clamp_min(TINY)
        outputs = torch.ops.quantized.linear_dynamic(inputs / scale, self._packed) * scale
        return outputs if self.bias is None else outputs + self.bias


def quantize(model: Any, name: str) -> None:
    """Quantize the linear layers in place, one after the other, so that memory only shrinks.

    Raises ModelError for a model that has most of its weights elsewhere, as mixtures of experts.
    """
    tables = sum(m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Embedding))
    whole = sum(parameter.numel() for parameter in model.parameters()) - tables
    linear = [
        (parent, key, child)
        for parent in model.modules()
        for key, child in parent.named_children()
        if isinstance(child, torch.nn.Linear)
    ]
    if sum(child.weight.numel() for _, _, child in linear) < LEAST_SHARE * whole:
        raise ModelError(
            f"llm.quantization int8-cpu does not reach most of the weights of {name}.",
            "Set llm.quantization to none, 4bit or 8bit.",
        )
    while linear:
        parent, key, child = linear.pop()
        setattr(parent, key, Int8Linear(child))
        del child
    model.float()

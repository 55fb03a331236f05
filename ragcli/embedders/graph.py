"""The whole path from token ids to a unit vector as one torch module, so that it exports as one graph.

Runs in the exporting child only. Pooling follows sentence-transformers, module for module.
"""

from __future__ import annotations

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from ragcli.embedders.attention import FUSABLE, FUSED, register
from ragcli.embedders.card import Card, Step, read_json, refused

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "torch.nn.modules.activation.Tanh": nn.Tanh,
    "torch.nn.modules.activation.ReLU": nn.ReLU,
    "torch.nn.modules.activation.GELU": nn.GELU,
    "torch.nn.modules.activation.Sigmoid": nn.Sigmoid,
    "torch.nn.modules.activation.SiLU": nn.SiLU,
    "torch.nn.modules.linear.Identity": nn.Identity,
}


class SentenceGraph(nn.Module):  # type: ignore[misc]
    """Encoder, pooling, dense layers and normalisation: (n, t) token ids to (n, d) unit vectors.

    All rows are texts of the same length, so there is no padding and no mask.
    """

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            str(card.encoder),
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
        self.pooling = card.pooling
        self.steps = nn.Sequential(*(_step(card, step) for step in card.steps))
        self.eval()

    def forward(self, input_ids: Tensor) -> Tensor:
        """Unit vectors of shape (n, d)."""
        tokens = self.encoder(input_ids=input_ids).last_hidden_state
        pooled = [pool(mode, tokens) for mode in self.pooling]
        vector: Tensor = self.steps(torch.cat(pooled, dim=-1))
        return functional.normalize(vector, p=2.0, dim=-1)

    def fuse(self) -> None:
        """Compute attention by the fast operator where the encoder allows, plainly elsewhere."""
        register()
        fusable = self.encoder.config.model_type in FUSABLE
        self.encoder.set_attn_implementation(FUSED if fusable else "eager")


def pool(mode: str, tokens: Tensor) -> Tensor:
    """One vector a text from its token vectors (n, t, d); the modes are those of sentence-transformers."""
    if mode == "cls":
        return tokens[:, 0]
    if mode == "lasttoken":
        return tokens[:, -1]
    if mode == "max":
        return tokens.max(dim=1).values
    if mode == "weightedmean":
        weights = torch.ones_like(tokens).cumsum(dim=1)
        return (tokens * weights).sum(dim=1) / weights.sum(dim=1)
    total = tokens.mean(dim=1)
    return total * tokens.shape[1] ** 0.5 if mode == "mean_sqrt_len_tokens" else total


class _Normalize(nn.Module):  # type: ignore[misc]
    def forward(self, vector: Tensor) -> Tensor:
        return functional.normalize(vector, p=2.0, dim=-1)


def _step(card: Card, step: Step) -> nn.Module:
    if step.kind == "normalize":
        return _Normalize()
    config = read_json(card.model, step.folder / "config.json")
    activation = ACTIVATIONS.get(str(config.get("activation_function")))
    if activation is None:
        raise refused(card.model, f"its activation is {config.get('activation_function')!r}")
    linear = nn.Linear(
        config["in_features"], config["out_features"], bool(config.get("bias", True))
    )
    weights = load_file(str(step.folder / "model.safetensors"))
    linear.load_state_dict({name.removeprefix("linear."): value for name, value in weights.items()})
    return nn.Sequential(linear, activation())

"""The whole path from token ids to a unit vector as one torch module, so that it exports as one graph.

Runs in the exporting child only. Pooling follows sentence-transformers, module for module.
"""

from __future__ import annotations

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

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
    """Encoder, pooling, dense layers and normalisation: (n, t) ids and mask to (n, d) unit vectors."""

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

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors of shape (n, d)."""
        encoded = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        tokens = encoded.last_hidden_state
        pooled = [pool(mode, tokens, attention_mask) for mode in self.pooling]
        vector: Tensor = self.steps(torch.cat(pooled, dim=-1))
        return functional.normalize(vector, p=2.0, dim=-1)


def pool(mode: str, tokens: Tensor, attention_mask: Tensor) -> Tensor:
    """One vector a text from its token vectors (n, t, d); the modes are those of sentence-transformers."""
    mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
    if mode == "max":
        return tokens.masked_fill(mask == 0, torch.finfo(tokens.dtype).min).max(dim=1).values
    if mode in ("cls", "lasttoken"):
        return (tokens * _pick(mode, attention_mask).unsqueeze(-1).to(tokens.dtype)).sum(dim=1)
    if mode == "weightedmean":
        mask = mask * _places(attention_mask).unsqueeze(-1).to(tokens.dtype)
    total = (tokens * mask).sum(dim=1)
    count = mask.sum(dim=1).clamp(min=1e-9)
    return total / (count.sqrt() if mode == "mean_sqrt_len_tokens" else count)


def _places(attention_mask: Tensor) -> Tensor:
    """1, 2, 3, ... along the tokens that are not padding, 0 on the padding."""
    return attention_mask.cumsum(dim=1) * attention_mask


def _pick(mode: str, attention_mask: Tensor) -> Tensor:
    """1 on the first (`cls`) or the last token that is not padding, 0 elsewhere."""
    places = _places(attention_mask)
    wanted = 1 if mode == "cls" else attention_mask.sum(dim=1, keepdim=True)
    return (places == wanted) & (attention_mask > 0)


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

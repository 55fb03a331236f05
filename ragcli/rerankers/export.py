"""The child that converts a cross-encoder: `python -P -m ragcli.rerankers.export NAME FOLDER OUT PRECISION`.

The only code of this room that has torch in its process. It exports the graph, quantizes it, checks
both against torch, writes the model that passed into OUT, and prints one line of JSON.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ragcli.embedders.attention import FUSABLE, FUSED, register
from ragcli.embedders.card import refused
from ragcli.embedders.export import OPSET, answered, optimized, quantized
from ragcli.embedders.onnx import MODEL
from ragcli.embedders.probes import PROBES
from ragcli.errors import ModelError
from ragcli.rerankers.folder import PairCard, read_pair_card
from ragcli.rerankers.pairs import Pair, PairEncoder, PairReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FP32_CEILING = 0.001
INT8_CEILING = 0.1
"""The furthest that a score may stray, as a share of the range of scores over the probes."""
PAIRS: list[Pair] = [
    (PROBES[at], PROBES[(at + step) % len(PROBES)])
    for at in range(len(PROBES))
    for step in (0, 1, 3)
]


def main(arguments: list[str]) -> int:
    """Convert, and print the report: `{"precision", "strays", ...}`, `{"error", "fix"}` or `{"disk"}`."""
    name, folder, out, precision = arguments
    return answered(lambda: convert(read_pair_card(name, Path(folder)), Path(out), precision))


def convert(card: PairCard, out: Path, precision: str) -> dict[str, Any]:
    """Write `MODEL` into `out`; fp32 when int8 was asked for and strays too far from torch.

    Raises ModelError when even the fp32 export differs from torch.
    """
    graph = PairGraph(card)
    expected = reference(graph, card)
    with tempfile.TemporaryDirectory(dir=out) as name:
        plain = Path(name) / "fp32.onnx"
        export(graph, card, plain)
        model = optimized(plain)
        strays = astray(model, card, expected)
        if strays > FP32_CEILING:
            raise ModelError(
                f"The model {card.model} computes something else on ONNX Runtime than on torch"
                f" ({strays:.1%} of the range of its scores).",
                "Choose another reranker.model.",
            )
        report: dict[str, Any] = {"precision": "fp32", **_told(strays)}
        if precision == "int8":
            small, tried = quantized(plain, lambda model: _near(model, card, expected))
            report = {"precision": "int8", **tried} if small else {**report, "int8": tried}
            model = small or model
    (out / MODEL).write_bytes(model)
    return report


def _near(
    model: bytes, card: PairCard, expected: NDArray[np.float32]
) -> tuple[bool, dict[str, Any]]:
    strays = astray(model, card, expected)
    return strays <= INT8_CEILING, _told(strays)


def _told(strays: float) -> dict[str, Any]:
    return {"strays": f"by {strays:.1%} of the range of its scores"}


class PairGraph(nn.Module):  # type: ignore[misc]
    """Token ids of pairs (n, t) to one score each (n,); all rows have the same length, so no mask."""

    def __init__(self, card: PairCard) -> None:
        super().__init__()
        self.model = AutoModelForSequenceClassification.from_pretrained(
            str(card.folder),
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
        self.eval()

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Logits of shape (n,)."""
        segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits: Tensor = self.model(input_ids=input_ids, **segments).logits[:, 0]
        return logits

    def fuse(self) -> None:
        """Compute attention by the fast operator where the model allows, plainly elsewhere."""
        register()
        fusable = self.model.config.model_type in FUSABLE
        self.model.set_attn_implementation(FUSED if fusable else "eager")


def reference(graph: PairGraph, card: PairCard) -> NDArray[np.float32]:
    """What torch computes for each probe alone: (n,).

    Raises ModelError when transformers reads a probe as other tokens than `tokenizer.json` alone.
    """
    import numpy as np

    tokenizer = AutoTokenizer.from_pretrained(str(card.folder), trust_remote_code=False)
    ours, _ = PairReader(card).read(PAIRS)
    found = []
    for (question, text), ids in zip(PAIRS, ours, strict=True):
        tokens = tokenizer(
            question, text, truncation=True, max_length=card.max_tokens, return_tensors="pt"
        )
        if tokens["input_ids"][0].tolist() != ids:
            raise refused(card.model, "its tokenizer.json and its tokenizer_config.json disagree")
        given = {"input_ids": tokens["input_ids"]}
        if card.segments:
            given["token_type_ids"] = tokens["token_type_ids"]
        with torch.no_grad():
            found.append(float(graph(**given)[0]))
    return np.array(found, dtype=np.float32)


def export(graph: PairGraph, card: PairCard, path: Path) -> None:
    """Write the graph as ONNX with free batch and sequence axes."""
    graph.fuse()
    names = ["input_ids", "token_type_ids"] if card.segments else ["input_ids"]
    given = [torch.randint(5, 50, (2, 16)), torch.zeros((2, 16), dtype=torch.long)]
    with torch.no_grad():
        torch.onnx.export(
            graph,
            tuple(given[: len(names)]),
            str(path),
            input_names=names,
            output_names=["score"],
            dynamic_axes={
                **{name: {0: "batch", 1: "tokens"} for name in names},
                "score": {0: "batch"},
            },
            opset_version=OPSET,
            custom_opsets={"com.microsoft": 1},
            # As for embedders: the newer exporter needs another package and is no better here.
            dynamo=False,
        )


def astray(model: bytes, card: PairCard, expected: NDArray[np.float32]) -> float:
    """The furthest that a score lies from the reference, as a share of the reference's range."""
    import numpy as np

    encoder = PairEncoder(model, card, threads=2, batch_tokens=4 * card.max_tokens)
    found = encoder.logits(PAIRS)
    width = max(float(np.ptp(expected)), 1e-6)
    return float(np.abs(found - expected).max()) / width


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The child that converts a model: `python -P -m ragcli.embedders.export NAME FOLDER OUT PRECISION`.

The only code of this room that has torch in its process. It exports the graph, quantizes it,
checks both against torch, writes the model that passed into OUT, and prints one line of JSON.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.embedders.card import Card, read_card, refused
from ragcli.embedders.onnx import MODEL
from ragcli.embedders.probes import PROBES
from ragcli.embedders.tokens import TokenReader
from ragcli.errors import ModelError, RagcliError
from ragcli.models.switches import QUIET

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.embedders.graph import SentenceGraph

OPSET = 17
FP32_FLOOR = 0.9999
INT8_FLOOR = 0.98
INT8_MEAN_FLOOR = 0.985
LEVELS = (127, 63)
"""Weight ranges to try: without VNNI instructions the full range can overflow, half never does."""


def main(arguments: list[str]) -> int:
    """Convert, and print `{"precision", "cosine_min", "cosine_mean", ...}` `{"error", "fix"}`, `{"disk"}`."""
    name, folder, out, precision = arguments
    return answered(lambda: convert(read_card(name, Path(folder)), Path(out), precision))


def answered(work: Callable[[], dict[str, Any]]) -> int:
    """Do the work of an exporting child and print its report, or what a person can do about its failure."""
    os.environ.update(QUIET)
    warnings.simplefilter("ignore")
    try:
        report = work()
    except RagcliError as error:
        report = {"error": error.message, "fix": error.fix}
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        report = {"disk": os.strerror(error.errno)}
    print(json.dumps(report))  # noqa: T201 - the pipe to the parent
    return 0


def convert(card: Card, out: Path, precision: str) -> dict[str, Any]:
    """Write `MODEL` into `out`; fp32 when int8 was asked for and strays too far from torch.

    Raises ModelError when even the fp32 export differs from torch.
    """
    from ragcli.embedders.graph import SentenceGraph

    graph = SentenceGraph(card)
    expected = reference(graph, card)
    with tempfile.TemporaryDirectory(dir=out) as name:
        plain = Path(name) / "fp32.onnx"
        export(graph, plain)
        model = optimized(plain)
        exact = agreement(model, card, expected)
        if exact["cosine_min"] < FP32_FLOOR:
            raise ModelError(
                f"The model {card.model} computes something else on ONNX Runtime than on torch"
                f" (cosine {exact['cosine_min']:.4f}).",
                "Set embedder.backend to torch.",
            )
        report: dict[str, Any] = {"precision": "fp32", **exact}
        if precision == "int8":
            small, tried = quantized(plain, lambda model: _near(model, card, expected))
            report = {"precision": "int8", **tried} if small else {**report, "int8": tried}
            model = small or model
    (out / MODEL).write_bytes(model)
    return report


def quantized(
    plain: Path, judge: Callable[[bytes], tuple[bool, dict[str, Any]]]
) -> tuple[bytes | None, dict[str, Any]]:
    """The first int8 form that `judge` calls near enough, or None, and what it told of the last."""
    from ragcli.embedders.quantize import quantize

    told: dict[str, Any] = {}
    for levels in LEVELS:
        target = plain.with_name(f"int8.{levels}.onnx")
        quantize(plain, target, levels)
        model = optimized(target)
        near, found = judge(model)
        told = {"levels": levels, **found}
        if near:
            return model, told
    return None, told


def _near(model: bytes, card: Card, expected: NDArray[np.float32]) -> tuple[bool, dict[str, Any]]:
    close = agreement(model, card, expected)
    near = close["cosine_min"] >= INT8_FLOOR and close["cosine_mean"] >= INT8_MEAN_FLOOR
    return near, {**close, "strays": f"cosine {close['cosine_min']:.3f}"}


def reference(graph: SentenceGraph, card: Card) -> NDArray[np.float32]:
    """What torch computes for each probe alone: (n, dimension).

    Raises ModelError when transformers reads a probe as other tokens than `tokenizer.json` alone.
    """
    import numpy as np
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(card.encoder), trust_remote_code=False)
    ours, _ = TokenReader(card).read(list(PROBES))
    rows = []
    for text, ids in zip(PROBES, ours, strict=True):
        text = text.lower() if card.lower_case else text
        tokens = tokenizer(text, truncation=True, max_length=card.max_tokens, return_tensors="pt")
        if tokens["input_ids"][0].tolist() != ids:
            raise refused(card.model, "its tokenizer.json and its tokenizer_config.json disagree")
        with torch.no_grad():
            rows.append(graph(tokens["input_ids"])[0].numpy())
    return np.stack(rows)


def export(graph: SentenceGraph, path: Path) -> None:
    """Write the graph as ONNX with free batch and sequence axes."""
    import torch

    graph.fuse()
    with torch.no_grad():
        torch.onnx.export(
            graph,
            (torch.randint(5, 50, (2, 16)),),
            str(path),
            input_names=["input_ids"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": {0: "batch", 1: "tokens"}, "embedding": {0: "batch"}},
            opset_version=OPSET,
            custom_opsets={"com.microsoft": 1},
            # The newer exporter needs onnxscript; this one needs nothing and is exact here.
            dynamo=False,
        )


def optimized(source: Path) -> bytes:
    """The model as ONNX Runtime will run it: rewriting it at each start would cost more time."""
    os.environ.update(QUIET)
    import onnxruntime

    target = source.with_suffix(".optimized.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # One level up are layouts of the machine at hand, which do nothing for these operators.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    return target.read_bytes()


def agreement(model: bytes, card: Card, expected: NDArray[np.float32]) -> dict[str, float]:
    """Cosines between the probes as they will be embedded, each twice in a batch, and the reference."""
    from ragcli.embedders.onnx import OnnxEncoder

    encoder = OnnxEncoder(model, card, precision="", threads=2, batch_tokens=2 * card.max_tokens)
    vectors, _ = encoder.encode([*PROBES, *PROBES])
    cosines = (vectors.reshape(2, *expected.shape) * expected).sum(axis=2)
    return {"cosine_min": float(cosines.min()), "cosine_mean": float(cosines.mean())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

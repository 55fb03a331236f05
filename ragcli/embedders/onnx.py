"""Runs an exported model on ONNX Runtime: texts of one length to a batch, results in input order.

Nothing is ever padded, so a batch computes no token in vain and needs no mask. No torch and no
transformers in this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ragcli.embedders.card import Card
from ragcli.embedders.tokens import TokenReader
from ragcli.models.switches import silence_onnxruntime

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "model.onnx"
WINDOW = 4096
"""Texts that are tokenized and grouped together; bounds the memory of a long list."""


class OnnxEncoder:
    """An exported model in a session; `backend`, `device` and `precision` say what computes."""

    backend = "onnx"
    device = "cpu"

    def __init__(
        self, model: bytes, card: Card, *, precision: str, threads: int, batch_tokens: int
    ) -> None:
        self.precision = precision
        self.session = open_session(model, threads)
        self.reader = TokenReader(card)
        self._dimension = card.dimension
        self._batch_tokens = batch_tokens

    def encode(self, texts: list[str]) -> tuple[NDArray[np.float32], list[int]]:
        """Unit vectors (n, dimension) in input order, and the positions of texts that were cut.

        A text without a single token, which only tokenizers without special tokens know, is zero.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        truncated: list[int] = []
        for start in range(0, len(texts), WINDOW):
            ids, cut = self.reader.read(texts[start : start + WINDOW])
            truncated.extend(start + position for position in cut)
            for batch in batches([len(row) for row in ids], self._batch_tokens):
                rows = np.array([ids[position] for position in batch], dtype=np.int64)
                embedded = self.session.run(None, {"input_ids": rows})[0]
                vectors[[start + position for position in batch]] = embedded
        return vectors, truncated

    def close(self) -> None:
        """Release the session and its threads."""
        del self.session


def batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Group the positions of equal lengths, longest first, into batches of at most `batch_tokens`.

    A single text longer than that is a batch of its own; one of length zero is in none.
    """
    groups: dict[int, list[int]] = {}
    for position, length in enumerate(lengths):
        groups.setdefault(length, []).append(position)
    for length in sorted(groups.keys() - {0}, reverse=True):
        group, size = groups[length], max(1, batch_tokens // length)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def open_session(model: bytes, threads: int) -> Any:
    """A session on the processor for a converted model; it phones nowhere and prints nothing."""
    silence_onnxruntime()
    # First, from Python: an interrupt while compiled code imports it is printed and becomes an ImportError.
    import numpy  # noqa: F401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait by spinning take the cores from the parsers and double the time to open.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The model was optimized when it was converted.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

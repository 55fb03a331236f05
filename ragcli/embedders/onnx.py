"""Runs an exported model on ONNX Runtime: batches of nearly equal length, results in input order.

No torch and no transformers in this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.embedders.card import Card
from ragcli.embedders.switches import silence_onnxruntime
from ragcli.embedders.tokens import TokenReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 4096
"""Texts that are tokenized and sorted together; bounds the memory of a long list."""


class OnnxEncoder:
    """An exported model in a session; `backend`, `device` and `precision` say what computes."""

    backend = "onnx"
    device = "cpu"

    def __init__(
        self, model: Path | bytes, card: Card, *, precision: str, threads: int, batch_tokens: int
    ) -> None:
        self.precision = precision
        self.session = open_session(model, threads)
        self.reader = TokenReader(card)
        self._dimension = card.dimension
        self._batch_tokens = batch_tokens

    def encode(self, texts: list[str]) -> tuple[NDArray[np.float32], list[int]]:
        """Unit vectors (n, dimension) in input order, and the positions of texts that were cut."""
        import numpy as np

        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        truncated: list[int] = []
        for start in range(0, len(texts), WINDOW):
            ids, cut = self.reader.read(texts[start : start + WINDOW])
            truncated.extend(start + position for position in cut)
            for batch in batches([len(row) for row in ids], self._batch_tokens):
                rows = [ids[position] for position in batch]
                feeds = feed(rows, self.reader.pad_id)
                vectors[[start + position for position in batch]] = self.session.run(None, feeds)[0]
        return vectors, truncated

    def close(self) -> None:
        """Release the session and its threads."""
        del self.session


def batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Group positions, longest first, so that no batch exceeds `batch_tokens` with its padding.

    A single text longer than that is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    batch: list[int] = []
    for position in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > batch_tokens:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def feed(rows: Sequence[Sequence[int]], pad_id: int) -> dict[str, Any]:
    """The inputs of the session: token ids and mask, int64 of shape (n, longest row)."""
    import numpy as np

    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def open_session(model: Path | bytes, threads: int) -> Any:
    """An ONNX Runtime session on the processor; it phones nowhere and prints nothing."""
    silence_onnxruntime()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

"""Runs an exported cross-encoder on ONNX Runtime: pairs of one length to a batch, results in input order.

Nothing is ever padded, so a score does not depend on what it is batched with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragcli.embedders.onnx import batches, open_session
from ragcli.embedders.tokens import open_tokenizer, sound
from ragcli.rerankers.folder import PairCard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pair = tuple[str, str]


class PairReader:
    """The model's own tokenizer; what is too long is cut at its end, the longer side first."""

    def __init__(self, card: PairCard) -> None:
        self._tokenizer = open_tokenizer(card)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=card.max_tokens)

    def read(self, pairs: Sequence[Pair]) -> tuple[list[list[int]], list[list[int]]]:
        """Token ids and type ids of each pair, special tokens included."""
        given = [(sound(question), sound(text)) for question, text in pairs]
        encodings = self._tokenizer.encode_batch_fast(given)
        return [one.ids for one in encodings], [one.type_ids for one in encodings]


class PairEncoder:
    """An exported model in a session."""

    def __init__(self, model: bytes, card: PairCard, *, threads: int, batch_tokens: int) -> None:
        self._session = open_session(model, threads)
        self._reader = PairReader(card)
        self._segments = card.segments
        self._batch_tokens = batch_tokens

    def logits(self, pairs: Sequence[Pair]) -> NDArray[np.float32]:
        """What the model says of each pair, shape (n,): the higher, the better the text answers."""
        import numpy as np

        found = np.zeros(len(pairs), dtype=np.float32)
        ids, types = self._reader.read(pairs)
        for batch in batches([len(row) for row in ids], self._batch_tokens):
            given = {"input_ids": np.array([ids[at] for at in batch], dtype=np.int64)}
            if self._segments:
                given["token_type_ids"] = np.array([types[at] for at in batch], dtype=np.int64)
            found[batch] = self._session.run(None, given)[0]
        return found

    def close(self) -> None:
        """Release the session and its threads."""
        del self._session

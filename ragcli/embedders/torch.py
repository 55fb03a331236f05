"""Computes with sentence-transformers on torch, in a child process, so that torch is never loaded here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragcli.embedders.card import Card
from ragcli.errors import ModelError
from ragcli.models.allocator import STEADY_MEMORY
from ragcli.models.child import Child, Died

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 2048
"""Texts sent at once; bounds the memory of both sides."""


class TorchEncoder:
    """A sentence-transformers model in a child; `device` and `precision` are what it really uses."""

    backend = "torch"

    def __init__(
        self, card: Card, *, device: str, precision: str, threads: int, batch_tokens: int
    ) -> None:
        self._model = card.model
        self._dimension = card.dimension
        self._child = Child("ragcli.embedders.torch_child", STEADY_MEMORY)
        order = {
            "model": card.model,
            "folder": str(card.folder),
            "device": device,
            "precision": precision,
            "threads": threads,
            "batch_tokens": batch_tokens,
        }
        ready, _ = self._ask(order)
        self.device: str = ready["device"]
        self.precision: str = ready["precision"]

    def encode(self, texts: list[str]) -> tuple[NDArray[np.float32], list[int]]:
        """Unit vectors (n, dimension) in input order, and the positions of texts that were cut."""
        import numpy as np

        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        truncated: list[int] = []
        for start in range(0, len(texts), WINDOW):
            reply, data = self._ask({"texts": texts[start : start + WINDOW]})
            part = np.frombuffer(data, dtype=np.float32).reshape(reply["shape"])
            vectors[start : start + len(part)] = part
            truncated.extend(start + position for position in reply["truncated"])
        return vectors, truncated

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            self._child.send(request)
            reply, data = self._child.receive()
        except Died as death:
            raise ModelError(
                f"The process that runs {self._model} ended: {death}.",
                "Set embedder.backend to onnx, or choose another embedder.model.",
            ) from death
        if "error" in reply:
            raise ModelError(reply["error"], reply["fix"])
        return reply, data

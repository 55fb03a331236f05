"""Computes with sentence-transformers on torch, in a child process, so that torch is never loaded here."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import weakref
from typing import IO, TYPE_CHECKING, Any

from ragcli.embedders.card import Card
from ragcli.embedders.frames import receive, send
from ragcli.embedders.switches import STEADY_MEMORY
from ragcli.errors import ModelError

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
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._child = _spawn(self._log)
        self._stop = weakref.finalize(self, _end, self._child)
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
        self._stop()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        assert self._child.stdin and self._child.stdout
        try:
            send(self._child.stdin, request)
            reply, data = receive(self._child.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise ModelError(
                f"The process that runs {self._model} ended: {_last_line(self._log)}.",
                "Set embedder.backend to onnx, or choose another embedder.model.",
            ) from error
        if "error" in reply:
            raise ModelError(reply["error"], reply["fix"])
        return reply, data


def _spawn(log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ragcli.embedders.torch_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, **STEADY_MEMORY},
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"

"""The child that computes on torch: `python -P -m ragcli.embedders.torch_child`, spoken to in frames.

The first frame it reads says which model, device and precision; each further one holds texts.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import IO, Any

from ragcli.embedders.card import read_card
from ragcli.embedders.tokens import TokenReader
from ragcli.errors import ModelError, RagcliError
from ragcli.models.frames import receive, send
from ragcli.models.switches import QUIET


def main() -> int:
    """Serve until the other side is gone; it decides about interrupts, so they are ignored here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(QUIET)
    # Libraries may print: the pipe gets a descriptor of its own, and prints go to stderr.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _serve(sys.stdin.buffer, replies)
    except EOFError:
        return 0
    except RagcliError as error:
        send(replies, {"error": error.message, "fix": error.fix})
    return 0


def _serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    order, _ = receive(requests)
    card = read_card(order["model"], Path(order["folder"]))
    device = _device(order["device"])
    model = _load(str(card.folder), device, order["precision"], order["threads"])
    model.max_seq_length = card.max_tokens
    reader = TokenReader(card)
    precision = str(model.dtype).removeprefix("torch.")
    send(replies, {"device": device, "precision": precision})
    while True:
        request, _ = receive(requests)
        vectors = model.encode(
            request["texts"],
            prompt="",
            batch_size=max(1, order["batch_tokens"] // card.max_tokens),
            normalize_embeddings=True,
            show_progress_bar=False,
        ).astype("float32")
        _, cut = reader.read(request["texts"])
        send(replies, {"shape": vectors.shape, "truncated": cut}, vectors.tobytes())


def _device(wanted: str) -> str:
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            "The installed torch cannot use a CUDA GPU.",
            "Set embedder.device to cpu, or install a torch build with CUDA.",
        )
    return wanted


def _load(folder: str, device: str, precision: str, threads: int) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    if device == "cpu":
        torch.set_num_threads(threads)
    half = device == "cuda" and precision == "int8"
    return SentenceTransformer(
        folder,
        device=device,
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={
            "dtype": torch.float16 if half else torch.float32,
            "use_safetensors": True,
        },
    )


if __name__ == "__main__":
    sys.exit(main())

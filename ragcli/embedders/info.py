"""What is known about an embedder before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """An embedding model as it lies on this machine, or as a provider offers it.

    `tokenizer` is the model's `tokenizer.json`, or what counts in its place. The truncation and
    padding that may be stored in it are not the model's own: whoever counts with it switches both
    off first.
    """

    model: str
    fingerprint: str
    """sha256 (hex) over everything that decides what a stored vector is."""
    dimension: int
    max_tokens: int
    """Longest input in tokens, special tokens and the document prompt included."""
    tokenizer: Path
    folder: Path
    source: str
    """Where the model was found: `folder`, `cache`, `package` or `hub`; or who offers it."""
    document_prompt: str = ""
    """What the model wants in front of every text that is stored."""
    query_prompt: str = ""
    prompt_tokens: int = 0
    """Tokens that the document prompt takes from `max_tokens`."""
    tuned_from: str = ""
    """The fingerprint of the model that it was tuned from; empty for one as it was published."""
    host: str = ""
    """The server that every text is sent to; empty for one on this machine."""

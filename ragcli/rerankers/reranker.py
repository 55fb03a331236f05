"""What every reranker is to the rest of the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """Scores texts for a question; `name` is `plug:model`, `host` what it asks, empty for this machine."""

    name: str
    host: str

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question: 0 to 1, in the order of the texts."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...

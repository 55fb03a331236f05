"""What a search is asked to do, apart from its question."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ragcli.retrieve.filters import Filter
from ragcli.settings import Retrieval

Mode = Literal["hybrid", "dense", "lexical"]
By = Literal["chunk", "document"]


@dataclass(frozen=True, slots=True)
class RetrievalOptions:
    """The retrieval settings of one search, and what its command line adds.

    `by` document leaves the best chunk of each document; `cwd` is where relative paths of the
    filter start; `explain` words the `why` of each hit.
    """

    mode: Mode = "hybrid"
    top_k: int = 4
    candidates: int = 100
    dense_weight: float = 0.45
    collapse: float = 0.9
    rerank_depth: int = 30
    min_score: float | None = None
    by: By = "chunk"
    filter: Filter = field(default_factory=Filter)
    cwd: Path = Path("/")
    explain: bool = False

    @classmethod
    def of(
        cls,
        settings: Retrieval,
        *,
        by: By = "chunk",
        filter: Filter | None = None,
        cwd: Path = Path("/"),
        explain: bool = False,
    ) -> RetrievalOptions:
        """Options from the settings of a run."""
        return cls(
            **settings.model_dump(), by=by, filter=filter or Filter(), cwd=cwd, explain=explain
        )

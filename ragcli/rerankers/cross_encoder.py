"""The plug for cross-encoders of sentence-transformers: one model reads question and text together.

It runs on ONNX Runtime without torch in the process; a child exports the model once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ModelError
from ragcli.rerankers.folder import PairCard, find, read_pair_card

if TYPE_CHECKING:
    from ragcli.rerankers.pairs import PairEncoder

DEFAULT_MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"
FIX = "Choose another reranker.model, or leave reranking out with --no-rerank."
EXPORTER = "ragcli.rerankers.export"
FINGERPRINT_VERSION = 1


class Options(BaseModel):
    """The keys of the section `reranker` that belong to this plug."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        DEFAULT_MODEL, description="Model of the Hub, or the path of a folder (./x)."
    )
    revision: str | None = Field(None, description="Branch, tag or commit of a model of the Hub.")
    precision: Literal["int8", "fp32"] = Field("int8", description="`int8` is the fast one.")
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads; by default one per physical core."
    )
    batch_tokens: int = Field(
        2048, ge=16, description="Most tokens in one batch of pairs of the same length."
    )


class CrossEncoder:
    """A cross-encoder in a session."""

    host = ""

    def __init__(self, name: str, encoder: PairEncoder) -> None:
        self.name = name
        self._encoder = encoder

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How likely each text answers the question, 0 to 1."""
        import numpy as np

        logits = self._encoder.logits([(question, text) for text in texts])
        chances: list[float] = (1 / (1 + np.exp(-logits.astype(np.float64)))).tolist()
        return chances

    def close(self) -> None:
        """Release the session and its threads."""
        self._encoder.close()


def build(
    options: Options,
    cache: Path,
    offline: bool,
    *,
    keys: Mapping[str, str],
    on_progress: Callable[[str], None],
) -> CrossEncoder:
    """The chosen model, ready to score; converts it first where that was not done before."""
    from ragcli.embedders.convert import Source, converted
    from ragcli.models.cores import physical_cores
    from ragcli.rerankers.pairs import PairEncoder

    try:
        folder = find(options.model, options.revision, offline)
        card = read_pair_card(options.model, folder)
        source = Source(card.model, card.folder, EXPORTER, FIX)
        found = converted(source, _fingerprint(card, cache), options.precision, cache, on_progress)
    except ModelError as error:
        raise ModelError(error.message, FIX) from error
    encoder = PairEncoder(
        found.data,
        card,
        threads=options.threads or physical_cores(),
        batch_tokens=options.batch_tokens,
    )
    return CrossEncoder(f"cross-encoder:{options.model}", encoder)


def _fingerprint(card: PairCard, cache: Path) -> str:
    """Over content, not names: the same model found elsewhere is the same."""
    from ragcli.embedders.digests import file_digest

    facts = {
        "version": FINGERPRINT_VERSION,
        "kind": "cross-encoder",
        "weights": [file_digest(path, cache) for path in card.weights],
        "config": card.config,
        "tokenizer": file_digest(card.tokenizer, cache),
        "max_tokens": card.max_tokens,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

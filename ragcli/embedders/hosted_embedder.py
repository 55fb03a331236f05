"""Asks a provider for vectors, in requests that it takes, and checks what comes back.

Knows no provider: how a request looks comes with the `Wire`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ragcli.embedders.embedder import SentenceEmbedder
from ragcli.embedders.hosted import SECTION, Call, Wire
from ragcli.embedders.info import EmbedderInfo
from ragcli.errors import ModelError
from ragcli.hosted.access import Access
from ragcli.hosted.client import client_options, seconds
from ragcli.hosted.estimate import estimate_tokens
from ragcli.hosted.hosts import host_of
from ragcli.hosted.patience import ask

if TYPE_CHECKING:
    import httpx
    import numpy as np
    from numpy.typing import NDArray


class HostedEncoder:
    """Texts in, unit vectors out, in the same order, whatever the provider takes at once."""

    precision = "fp32"

    def __init__(
        self, wire: Wire, access: Access, dimension: int, asked: int | None, limit: int | None
    ) -> None:
        self.backend = wire.provider.use
        self.device = host_of(access.url)
        self._wire = wire
        self._access = access
        self._dimension = dimension
        self._asked = asked
        self._limit = limit
        self._client: httpx.Client | None = None

    def encode(
        self, texts: list[str], *, query: bool = False
    ) -> tuple[NDArray[np.float32], list[int]]:
        """Unit vectors (n, dimension), and the positions of texts that were cut to fit."""
        import numpy as np

        fitting = [_fit(text, self._limit) for text in texts]
        found = [np.empty((0, self._dimension), np.float32)]
        found += [self._request(batch, query) for batch in _batches(fitting, self._wire)]
        cut = [
            at for at, (text, kept) in enumerate(zip(texts, fitting, strict=True)) if text != kept
        ]
        return np.concatenate(found), cut

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _request(self, texts: list[str], query: bool) -> NDArray[np.float32]:
        call = Call(self._access.model, texts, query, self._asked)
        return ask(self._access, lambda: self._answer(call))

    def _answer(self, call: Call) -> NDArray[np.float32]:
        import numpy as np

        response = self._opened().post(
            self._access.url + self._wire.path(call.model), json=self._wire.body(call)
        )
        response.raise_for_status()
        vectors: NDArray[Any] = np.asarray(self._wire.vectors(response.json()), dtype=np.float32)
        return self._checked(vectors, len(call.texts))

    def _checked(self, vectors: NDArray[np.float32], texts: int) -> NDArray[np.float32]:
        import numpy as np

        who = self._access.who
        if vectors.ndim != 2 or len(vectors) != texts:
            raise ModelError(
                f"{who} did not answer with one vector for each text.",
                f"Check that {SECTION}.model is an embedding model.",
            )
        if vectors.shape[1] != self._dimension:
            raise ModelError(
                f"{who} answers with vectors of length {vectors.shape[1]}, not {self._dimension}.",
                f"Set {SECTION}.dimension to {vectors.shape[1]}.",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ModelError(
                f"{who} answered with a vector that has no direction.",
                "Try again, or choose another model.",
            )
        unit: NDArray[np.float32] = vectors / lengths
        return unit

    def _opened(self) -> httpx.Client:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                headers=self._wire.headers(self._access.key),
                timeout=httpx.Timeout(**seconds(self._access)),
                **client_options(self._access),
            )
        return self._client


class HostedEmbedder(SentenceEmbedder):
    """Embeds documents and questions at a provider, which may tell one from the other."""

    def __init__(self, info: EmbedderInfo, encoder: HostedEncoder) -> None:
        super().__init__(info, encoder)
        self._hosted = encoder

    def encode(self, texts: list[str], *, query: bool = False) -> NDArray[np.float32]:
        """Unit vectors of the texts, float32 of shape (n, dimension), in their order."""
        prompt = self.info.query_prompt if query else self.info.document_prompt
        vectors, self.truncated = self._hosted.encode(
            [prompt + text for text in texts], query=query
        )
        return vectors


def _batches(texts: list[str], wire: Wire) -> Iterator[list[str]]:
    """Consecutive texts, as many as one request may have; the tokens are estimated upwards."""
    batch: list[str] = []
    tokens = 0
    for text in texts:
        more = estimate_tokens(text)
        if batch and (len(batch) == wire.most_texts or tokens + more > wire.most_tokens):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += more
    if batch:
        yield batch


def _fit(text: str, limit: int | None) -> str:
    """The text, or as much of its beginning as the model certainly reads."""
    while limit is not None and (tokens := estimate_tokens(text)) > limit:
        text = text[: min(len(text) - 1, len(text) * limit // tokens)]
    return text

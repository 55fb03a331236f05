"""The embedder that the rest of the house sees: a LangChain `Embeddings` over one backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from langchain_core.embeddings import Embeddings

from ragcli.embedders.info import EmbedderInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Encoder(Protocol):
    """What a backend does: texts in, unit vectors out, in the same order."""

    backend: str
    device: str
    precision: str

    def encode(self, texts: list[str]) -> tuple[NDArray[np.float32], list[int]]:
        """Unit vectors (n, dimension), and the positions of texts that were cut to fit."""
        ...

    def close(self) -> None:
        """Release what the backend holds."""
        ...


class SentenceEmbedder(Embeddings):
    """Embeds documents and questions with a sentence-transformers model.

    `backend` is `onnx` or `torch`, `device` `cpu` or `cuda`, `precision` what is computed in.
    `adapter` is a linear map for the vectors of questions, shape (dimension, dimension).
    `truncated` holds the positions, in the last call, of texts longer than the model reads.
    """

    def __init__(
        self, info: EmbedderInfo, encoder: Encoder, adapter: NDArray[np.float32] | None = None
    ) -> None:
        self.info = info
        self.backend = encoder.backend
        self.device = encoder.device
        self.precision = encoder.precision
        self.truncated: list[int] = []
        self.adapter = adapter
        self._encoder = encoder

    def encode(self, texts: list[str], *, query: bool = False) -> NDArray[np.float32]:
        """Unit vectors of the texts, float32 of shape (n, dimension), in their order.

        The model's prompt for documents, or for questions with `query`, is put in front.
        """
        prompt = self.info.query_prompt if query else self.info.document_prompt
        vectors, self.truncated = self._encoder.encode([prompt + text for text in texts])
        if query and self.adapter is not None:
            return adapted(vectors, self.adapter)
        return vectors

    def mapped(self, matrix: NDArray[np.float32]) -> SentenceEmbedder:
        """The same model, whose questions pass through one more map."""
        whole = matrix if self.adapter is None else self.adapter @ matrix
        return SentenceEmbedder(self.info, self._encoder, whole)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of texts to be stored, as lists."""
        vectors: list[list[float]] = self.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question, as a list."""
        vector: list[float] = self.encode([text], query=True)[0].tolist()
        return vector

    def close(self) -> None:
        """Release the model; the embedder cannot be used afterwards."""
        self._encoder.close()


def adapted(vectors: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors (n, dimension) mapped by a matrix, of unit length again."""
    import numpy as np

    mapped = vectors @ matrix
    lengths = np.linalg.norm(mapped, axis=1, keepdims=True)
    return np.asarray(mapped / np.maximum(lengths, 1e-12), np.float32)

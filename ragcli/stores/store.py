"""A vector store elsewhere: LangChain's `VectorStore` over the few things an engine must do."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from ragcli.stores.engine import Engine
from ragcli.stores.records import Record, Where
from ragcli.stores.trouble import Manner

if TYPE_CHECKING:
    import numpy as np


class Store(Engine, VectorStore):
    """Texts with their vectors, added and searched as LangChain does."""

    def __init__(self, place: str, manner: Manner, embedding: Embeddings | None = None) -> None:
        super().__init__(place, manner)
        self._embedding = embedding

    @property
    def embeddings(self) -> Embeddings | None:
        """The embedder of texts that are added or asked for."""
        return self._embedding

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A store with these texts; `options` and `resources` are those of the store's `build`."""
        store = cls(**kwargs)
        store._embedding = embedding
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Embed texts and put them under their ids, or under new ones; returns the ids."""
        listed = list(texts)
        names = [id or str(uuid.uuid4()) for id in ids or [""] * len(listed)]
        facts = metadatas or [{} for _ in listed]
        vectors = self._embedder.embed_documents(listed) if listed else []
        if listed and self._dimension is None:
            self.open(len(vectors[0]), create=True)
        records = [
            Record(name, _unit(vector), text, data=data)
            for name, vector, text, data in zip(names, vectors, listed, facts, strict=True)
        ]
        for start in range(0, len(records), self.fetch_rows):
            self.upsert(records[start : start + self.fetch_rows])
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Take texts out; all of them where no ids are given."""
        if ids is None:
            self.clear()
        else:
            self.erase(ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these ids; those that are not there are left out."""
        return [_document(record) for record in self.fetch(list(ids))]

    def similarity_search(
        self, query: str, k: int = 4, filter: Where | None = None, **kwargs: Any
    ) -> list[Document]:
        """The k documents nearest to a text."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Where | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The k documents nearest to a text, each with its cosine."""
        return self._with_score(self._embedder.embed_query(query), k, filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Where | None = None, **kwargs: Any
    ) -> list[Document]:
        """The k documents nearest to a vector."""
        return [document for document, _ in self._with_score(embedding, k, filter)]

    def _with_score(
        self, vector: Sequence[float], k: int, where: Where | None
    ) -> list[tuple[Document, float]]:
        found = self.nearest(_unit(vector), k, where)
        records = {record.id: record for record in self.fetch([id for id, _ in found])}
        return [(_document(records[id]), score) for id, score in found if id in records]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: (1 + cosine) / 2

    @property
    def _embedder(self) -> Embeddings:
        if self._embedding is None:
            raise ValueError("this store was built without an embedder: ask it with vectors")
        return self._embedding


def _unit(vector: Sequence[float]) -> np.ndarray:
    import numpy as np

    row = np.asarray(vector, np.float32)
    return row / max(float(np.linalg.norm(row)), 1e-12)


def _document(record: Record) -> Document:
    return Document(id=record.id, page_content=record.text, metadata=dict(record.data))

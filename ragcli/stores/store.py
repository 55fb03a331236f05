"""A vector store elsewhere: LangChain's `VectorStore` over the few things an engine must do.

An engine's own file says how a record is put, taken out, found and counted; everything of
LangChain's interface, the patience with a busy server and the wait until what was written can
be read are here. A score is a cosine everywhere. Knows no ledger.
"""

from __future__ import annotations

import time
import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from ragcli.stores.records import Record, Where
from ragcli.stores.trouble import Manner, Trouble, patiently

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
Found = tuple[str, float]
SETTLE_S, SETTLE_POLL_S = 60.0, 0.2


class Store(VectorStore):
    """Records by id, and the nearest of them to a vector.

    `batch_rows` and `batch_bytes` bound one request, `parallel` is how many may be under way,
    `deepest` the most that one search returns, `most_values` the most documents in one condition.
    """

    batch_rows: ClassVar[int] = 1000
    batch_bytes: ClassVar[int] = 2_000_000
    fetch_rows: ClassVar[int] = 100
    deepest: ClassVar[int] = 10_000
    most_values: ClassVar[int] = 1000
    parallel: int = 1
    exact: bool = False

    def __init__(self, place: str, manner: Manner, embedding: Embeddings | None = None) -> None:
        self.place = place
        self.manner = manner
        self._embedding = embedding
        self._dimension: int | None = None
        self._known = False

    # What an engine must say

    @abstractmethod
    def _open(self, dimension: int | None, create: bool) -> bool:
        """Whether the place exists, made when missing if `create`; ConfigError when it differs."""

    @abstractmethod
    def _upsert(self, records: Sequence[Record]) -> None: ...

    @abstractmethod
    def _erase(self, ids: Sequence[str]) -> None: ...

    @abstractmethod
    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]: ...

    @abstractmethod
    def _fetch(self, ids: Sequence[str]) -> list[Record]: ...

    @abstractmethod
    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        """A page of the ids that are there, and what to ask the next page with, if there is one."""

    @abstractmethod
    def _count(self) -> int: ...

    @abstractmethod
    def _clear(self) -> None: ...

    @abstractmethod
    def _facts(self) -> dict[str, str] | None: ...

    @abstractmethod
    def _set_facts(self, facts: dict[str, str]) -> None: ...

    @abstractmethod
    def trouble(self, error: Exception) -> Trouble | None:
        """What a failure of the engine means; None for a bug."""

    def close(self) -> None:
        """Let go of connections and files."""

    # What the program asks

    def ask(self, request: Callable[[], T]) -> T:
        """The answer to a request, repeated where that may help; raises RagcliErrors."""
        answer = patiently(request, self.trouble, self.manner, known=self._known)
        self._known = True
        return answer

    def open(self, dimension: int | None = None, *, create: bool = False) -> bool:
        """Whether the store's place exists; with `create` it is made for vectors of `dimension`.

        Raises ConfigError when it is there but of another dimension or metric.
        """
        self._dimension = dimension
        return self.ask(lambda: self._open(dimension, create))

    def facts(self) -> dict[str, str] | None:
        """What was written down about the whole store, such as the model of its vectors."""
        return self.ask(self._facts)

    def set_facts(self, facts: dict[str, str]) -> None:
        """Write down what is to be known about the whole store."""
        self.ask(lambda: self._set_facts(facts))

    def count(self) -> int:
        """How many records there are."""
        return self.ask(self._count)

    def upsert(self, records: Sequence[Record]) -> None:
        """Put records, at most `batch_rows` of at most `batch_bytes`, over those with the same id."""
        if records:
            self.ask(lambda: self._upsert(records))

    def erase(self, ids: Sequence[str]) -> None:
        """Take records out; unknown ids are passed over."""
        for start in range(0, len(ids), self.batch_rows):
            part = list(ids[start : start + self.batch_rows])
            self.ask(lambda part=part: self._erase(part))  # type: ignore[misc]

    def clear(self) -> None:
        """Take every record out."""
        self.ask(self._clear)

    def nearest(self, vector: np.ndarray, k: int, where: Where | None = None) -> list[Found]:
        """The k records nearest to a unit vector: id and cosine, best first, at most `deepest`."""
        k = min(k, self.deepest)
        return self.ask(lambda: self._nearest(vector, k, where)) if k > 0 else []

    def fetch(self, ids: Sequence[str]) -> list[Record]:
        """The records with these ids, in this order, without those that are not there."""
        found: dict[str, Record] = {}
        for start in range(0, len(ids), self.fetch_rows):
            part = list(ids[start : start + self.fetch_rows])
            records = self.ask(lambda part=part: self._fetch(part))  # type: ignore[misc]
            found.update((record.id, record) for record in records)
        return [found[id] for id in ids if id in found]

    def ids(self) -> Iterator[str]:
        """The ids of all records."""
        after: str | None = None
        while True:
            page, after = self.ask(lambda after=after: self._ids(after))  # type: ignore[misc]
            yield from page
            if after is None:
                return

    def settle(self, expected: int, patience_s: float = SETTLE_S) -> int:
        """Wait until as many records can be read as were written; how many there were in the end.

        Some engines show what they were given a little later.
        """
        end = time.monotonic() + patience_s
        while (count := self.count()) != expected and time.monotonic() < end:
            time.sleep(SETTLE_POLL_S)
        return count

    # LangChain's interface

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

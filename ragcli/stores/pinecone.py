"""The vector store Pinecone: a namespace of a serverless index.

The namespace holds records alone; what is known of the whole of it lies in a namespace beside it,
so that no search meets it. Pinecone shows what it was given a little later: see `settle`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ragcli.hosted.hosts import host_of
from ragcli.stores import metadata, naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.pinecone_index import Wanted, check_index, open_index
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.store import Store
from ragcli.stores.trouble import Kind, Manner, Partial, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

URL = "https://api.pinecone.io"
METADATA_BYTES = 40_000
LIST_ROWS = 100
FACTS = "facts"
STATUS: dict[int, Kind] = {
    401: "key", 402: "full", 403: "key", 404: "missing", 408: "slow", 413: "large", 429: "busy",
}  # fmt: skip
SPENT = {403: re.compile("quota|upgrade", re.I), 429: re.compile("current month", re.I)}
"""Pinecone's words for a plan that allows no more: not a wrong key, and waiting does not help."""


class Options(BaseModel):
    """What can be set under `store` for Pinecone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: str = Field(
        "ragcli", pattern=r"^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$", description="Name of the index."
    )
    namespace: str | None = Field(
        None, min_length=1, description="Namespace; by default the name of the collection."
    )
    cloud: str = Field("aws", description="Cloud of an index that is created.")
    region: str = Field("us-east-1", description="Region of an index that is created.")
    metric: Literal["cosine", "dotproduct", "euclidean"] = Field(
        "cosine", description="Metric of the index; cosines are shown for any."
    )
    create: bool = Field(
        False, description="Create the index when it is missing, which may cost money; or --yes."
    )
    api_key_env: str = Field("PINECONE_API_KEY", description="Variable that holds the key.")
    url: str = Field(URL, description="Address of the control plane.")
    parallel: int = Field(8, ge=1, le=64, description="Requests under way at once.")
    timeout_s: float = Field(30, gt=0, le=600, description="Longest wait for an answer, seconds.")
    retries: int = Field(8, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> PineconeStore:
    """The store as configured; nothing is sent yet.

    Raises MissingKey, ConfigError for an address that is none, NetworkError when offline.
    """
    return PineconeStore(options, resources)


class PineconeStore(Store):
    """Records in one namespace of a Pinecone index."""

    fetch_rows: ClassVar[int] = 100

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self.options = options
        self._url = naming.server(options.url, "pinecone", resources)
        self._key = naming.needed_key(options.api_key_env, "pinecone", resources)
        self._wanted = Wanted(
            options.index,
            options.metric,
            options.cloud,
            options.region,
            options.create or resources.create,
        )
        self._space = options.namespace or resources.name
        place = f"{host_of(self._url)}/{options.index}/{self._space}"
        manner = Manner("Pinecone", options.retries, options.api_key_env, resources.say)
        super().__init__(place, manner, embedding)
        self.parallel = options.parallel
        self._client: Any = None
        self._index: Any = None
        self._width = 0

    def close(self) -> None:
        """Let go of the connections."""
        for part in (self._index, self._client):
            if part is not None:
                part.close()
        self._index = self._client = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        from pinecone import errors

        if isinstance(error, errors.ApiError):
            wait = (error.headers or {}).get("retry-after", "")
            return Trouble(
                _kind(error.status_code, f"{error.error_code} {error.message}"),
                error.message.replace(self._key, "***"),
                float(wait) if wait.isdigit() else None,
            )
        if isinstance(error, errors.PineconeTimeoutError):
            return Trouble("slow")
        if isinstance(error, errors.PineconeConnectionError):
            return Trouble("down", f"at {host_of(self._url)}")
        if isinstance(error, errors.ResponseParsingError | Partial):
            return Trouble("busy", str(error))
        return None

    def _open(self, dimension: int | None, create: bool) -> bool:
        from pinecone import Pinecone, RetryConfig

        if self._client is None:
            self._client = Pinecone(
                api_key=self._key,
                host=self._url,
                timeout=self.options.timeout_s,
                retry_config=RetryConfig(max_retries=0),  # requests are repeated by `trouble`
            )
        model = open_index(self._client, self._wanted, dimension if create else None)
        if model is None:
            return False
        check_index(model, self._wanted, dimension)
        self._index = self._client.Index(host=model.host)
        self._width = model.dimension
        return True

    def _upsert(self, records: Sequence[Record]) -> None:
        from pinecone import errors

        vectors = [self._vector(record) for record in records]
        try:
            answer = self._index.upsert(vectors=vectors, namespace=self._space)
        except errors.PayloadTooLargeError:
            if len(records) == 1:
                raise
            for half in wire.equal_halves(records):
                self._upsert(half)
            return
        if answer.upserted_count < len(records):
            raise Partial(f"took {answer.upserted_count} of {len(records)} records")

    def _vector(self, record: Record) -> dict[str, Any]:
        record = wire.fitted(record, METADATA_BYTES)
        facts = {"text": record.text, **metadata.of_record(record)}
        for name in ("path", "title"):
            if isinstance(value := record.data.get(name), str):
                facts[name] = value[:500]
        return {"id": record.id, "values": wire.decimals(record.vector), "metadata": facts}

    def _erase(self, ids: Sequence[str]) -> None:
        from pinecone import errors

        try:
            self._index.delete(ids=list(ids), namespace=self._space)
        except errors.NotFoundError:  # there is no such namespace, so they are not in it
            return

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        answer = self._index.query(
            vector=wire.decimals(vector),
            top_k=k,
            namespace=self._space,
            filter=metadata.condition(where),
            include_values=False,
            include_metadata=False,
        )
        return [(match.id, self._cosine(match.score)) for match in answer.matches]

    def _cosine(self, score: float) -> float:
        return 1 - score / 2 if self.options.metric == "euclidean" else score

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        if not ids:
            return []
        answer = self._index.fetch(ids=list(ids), namespace=self._space)
        return [_record(vector) for vector in answer.vectors.values()]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        page = self._index.list_paginated(
            namespace=self._space, limit=LIST_ROWS, pagination_token=after
        )
        following = page.pagination.next if page.pagination is not None else None
        return [item.id for item in page.vectors], following or None

    def _count(self) -> int:
        spaces = self._index.describe_index_stats().namespaces
        return spaces[self._space].vector_count if self._space in spaces else 0

    def _clear(self) -> None:
        from pinecone import errors

        try:
            self._index.delete(delete_all=True, namespace=self._space)
        except errors.NotFoundError:
            return

    def _facts(self) -> dict[str, str] | None:
        answer = self._index.fetch(ids=[FACTS], namespace=self._beside)
        found = answer.vectors.get(FACTS)
        return None if found is None else {k: str(v) for k, v in (found.metadata or {}).items()}

    def _set_facts(self, facts: dict[str, str]) -> None:
        values = [1.0] + [0.0] * (self._width - 1)
        vector = {"id": FACTS, "values": values, "metadata": facts}
        self._index.upsert(vectors=[vector], namespace=self._beside)

    @property
    def _beside(self) -> str:
        return f"{self._space}.ragcli"


def _kind(status: int, said: str) -> Kind:
    """What a status means, and what was said where one stands for two things."""
    if (words := SPENT.get(status)) is not None and words.search(said):
        return "full"
    return STATUS.get(status, "busy" if status >= 500 else "refused")


def _record(vector: Any) -> Record:
    import numpy as np

    held = vector.metadata or {}
    pages = [held.get(name) for name in ("first_page", "last_page")]
    first, last = (None if page is None else int(page) for page in pages)
    return Record(
        vector.id,
        np.asarray(vector.values, np.float32),
        str(held.get("text", "")),
        int(held.get("document", 0)),
        first,
        last,
        wire.loads(held.get("data")),
    )

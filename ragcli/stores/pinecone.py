"""The vector store Pinecone: a namespace of a serverless index.

The namespace holds records alone; what is known of the whole of it lies in a namespace beside it,
so that no search meets it. Pinecone shows what it was given a little later: see `settle`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError, MissingKey, NetworkError, StoreError
from ragcli.hosted.hosts import checked_url, host_of, is_local
from ragcli.stores import wire
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.store import Found, Store
from ragcli.stores.trouble import Kind, Manner, Trouble

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
        self._url = checked_url(options.url, "store.url")
        if resources.offline and not is_local(self._url):
            raise NetworkError(
                f"--offline forbids store pinecone, which would ask {host_of(self._url)}.",
                "Leave out --offline, or set store.use to embedded.",
            )
        self._key = _key(options.api_key_env, resources)
        self._may_create = options.create or resources.create
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
        if isinstance(error, errors.ResponseParsingError | _Partial):
            return Trouble("busy", str(error))
        return None

    def _open(self, dimension: int | None, create: bool) -> bool:
        from pinecone import Pinecone, RetryConfig, errors

        if self._client is None:
            self._client = Pinecone(
                api_key=self._key,
                host=self._url,
                timeout=self.options.timeout_s,
                retry_config=RetryConfig(max_retries=0),  # requests are repeated by `trouble`
            )
        try:
            model = self._client.describe_index(self.options.index)
        except errors.NotFoundError:
            if not create or dimension is None:
                return False
            model = self._created(dimension)
        self._check(model, dimension)
        self._index = self._client.Index(host=model.host)
        return True

    def _created(self, dimension: int) -> Any:
        from pinecone import ServerlessSpec, errors

        options = self.options
        if not self._may_create:
            raise StoreError(
                f"Pinecone has no index {options.index!r} for this key.",
                "An index may cost money: create it with --yes, or set store.create: true.",
            )
        spec = ServerlessSpec(cloud=options.cloud, region=options.region)
        try:
            return self._client.create_index(
                name=options.index, dimension=dimension, metric=options.metric, spec=spec
            )
        except errors.ConflictError:  # an attempt before this one, whose reply was lost
            return self._client.describe_index(options.index)

    def _check(self, model: Any, dimension: int | None) -> None:
        name, options = self.options.index, self.options
        if dimension is not None and model.dimension != dimension:
            raise ConfigError(
                f"The index {name!r} holds vectors of {model.dimension} numbers, not {dimension}.",
                "Set store.index to another name, or embedder.model to what the index was made for.",
            )
        if model.metric != options.metric:
            raise ConfigError(
                f"The index {name!r} has the metric {model.metric}, not {options.metric}.",
                f"Set store.metric to {model.metric}, or store.index to another name.",
            )
        if not model.host:
            raise StoreError(f"The index {name!r} is not ready yet.", "Try again in a minute.")
        self._width = model.dimension

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
            raise _Partial(f"took {answer.upserted_count} of {len(records)} records")

    def _vector(self, record: Record) -> dict[str, Any]:
        record = wire.fitted(record, METADATA_BYTES)
        metadata: dict[str, Any] = {
            "text": record.text,
            "document": record.document,
            "data": wire.dumps(record.data),
        }
        for name in ("path", "title"):
            if isinstance(value := record.data.get(name), str):
                metadata[name] = value[:500]
        if record.first_page is not None:
            metadata |= {"first_page": record.first_page, "last_page": record.last_page}
        return {"id": record.id, "values": wire.decimals(record.vector), "metadata": metadata}

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
            filter=_filter(where),
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


class _Partial(Exception):
    """A request of which only a part was carried out."""


def _kind(status: int, said: str) -> Kind:
    """What a status means, and what was said where one stands for two things."""
    if (words := SPENT.get(status)) is not None and words.search(said):
        return "full"
    return STATUS.get(status, "busy" if status >= 500 else "refused")


def _filter(where: Where | None) -> dict[str, Any] | None:
    if where is None:
        return None
    conditions: list[dict[str, Any]] = []
    if where.documents is not None:
        conditions.append({"document": {"$in": list(where.documents)}})
    if where.pages is not None:
        first, last = where.pages
        conditions += [{"last_page": {"$gte": first}}, {"first_page": {"$lte": last}}]
    return {"$and": conditions} if conditions else None


def _record(vector: Any) -> Record:
    import numpy as np

    metadata = vector.metadata or {}
    pages = [metadata.get(name) for name in ("first_page", "last_page")]
    first, last = (None if page is None else int(page) for page in pages)
    return Record(
        vector.id,
        np.asarray(vector.values, np.float32),
        str(metadata.get("text", "")),
        int(metadata.get("document", 0)),
        first,
        last,
        wire.loads(metadata.get("data")),
    )


def _key(name: str, resources: Resources) -> str:
    key = resources.keys.get(name, "").strip()
    if not key:
        raise MissingKey(
            f"store pinecone needs a key, and the variable {name} holds none.",
            f"Set it: export {name}=...; or write {name}=... into a file .env here.",
        )
    return key

"""The vector store Qdrant: in this process, where every vector is compared, or a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

PAGE = 1000


class Options(BaseModel):
    """What can be set under `store` for Qdrant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None, description="Address of a server; by default the engine runs in this process."
    )
    name: str | None = Field(None, min_length=1, description="Name of the collection in Qdrant.")
    api_key_env: str = Field("QDRANT_API_KEY", description="Variable that holds the key.")
    ef_search: int = Field(
        256, ge=10, le=10_000, description="Neighbours looked at; more find more, slower."
    )
    parallel: int = Field(4, ge=1, le=64, description="Requests to a server under way at once.")
    timeout_s: int = Field(30, gt=0, le=600, description="Longest wait for an answer, seconds.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> QdrantStore:
    """The store as configured; nothing is opened yet."""
    return QdrantStore(options, resources)


class QdrantStore(Store):
    """Records in one collection of Qdrant, whose ids are UUIDs."""

    batch_rows: ClassVar[int] = 500
    fetch_rows: ClassVar[int] = 500

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self.options = options
        self._url = naming.server(options.url, "qdrant", resources) if options.url else None
        self._key = naming.key_of(options.api_key_env, resources)
        self._folder = resources.folder
        self._called = naming.table_name(options.name, resources)
        manner = Manner("Qdrant", options.retries, options.api_key_env, resources.say)
        super().__init__(f"{self._url or self._folder}/{self._called}", manner, embedding)
        self.exact = self._url is None
        self.parallel = options.parallel if self._url else 1
        self._client: Any = None

    def close(self) -> None:
        """Let go of the connection, or of the files."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

        if isinstance(error, UnexpectedResponse):
            status, said = error.status_code or 0, error.content.decode("utf-8", "replace")
            if status in (401, 403):
                return Trouble("key")
            if status == 429 or status >= 500:
                return Trouble("busy", said)
            return Trouble("missing" if status == 404 else "refused", said)
        if isinstance(error, ResponseHandlingException):
            return Trouble("slow" if "timed out" in str(error) else "down", f"at {self._url}")
        if isinstance(error, RuntimeError) and "already accessed" in str(error):
            return Trouble("busy", "another process has it open")
        return None

    def _open(self, dimension: int | None, create: bool) -> bool:
        from qdrant_client import QdrantClient, models

        if self._client is None and self._url is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._client = QdrantClient(
                path=str(self._folder), force_disable_check_same_thread=True
            )
        elif self._client is None:
            self._client = QdrantClient(
                url=self._url,
                api_key=self._key,
                timeout=self.options.timeout_s,
                check_compatibility=False,
            )
        if not self._client.collection_exists(self._called):
            if not create or dimension is None:
                return False
            vectors = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
            self._client.create_collection(self._called, vectors_config=vectors)
            if self._url is not None:
                for field in ("document", "first_page", "last_page"):
                    self._client.create_payload_index(self._called, field, "integer")
        self._check(dimension)
        return True

    def _check(self, dimension: int | None) -> None:
        held = self._client.get_collection(self._called).config.params.vectors
        size, distance = getattr(held, "size", None), getattr(held, "distance", None)
        if distance != "Cosine":
            raise ConfigError(
                f"The collection {self._called!r} compares by {distance}, not by cosine.",
                "Set store.name to another name.",
            )
        if dimension is not None and size != dimension:
            raise ConfigError(
                f"The collection {self._called!r} holds vectors of {size} numbers,"
                f" not {dimension}.",
                "Set store.name to another name.",
            )

    def _upsert(self, records: Sequence[Record]) -> None:
        from qdrant_client import models

        points = [
            models.PointStruct(
                id=naming.as_uuid(record.id),
                vector=wire.decimals(record.vector),
                payload={
                    "id": record.id,
                    "text": record.text,
                    "document": record.document,
                    "first_page": record.first_page,
                    "last_page": record.last_page,
                    "data": dict(record.data),
                },
            )
            for record in records
        ]
        self._client.upsert(self._called, points, wait=True)

    def _erase(self, ids: Sequence[str]) -> None:
        from qdrant_client import models

        points = models.PointIdsList(points=[naming.as_uuid(id) for id in ids])
        self._client.delete(self._called, points, wait=True)

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        from qdrant_client import models

        search = None if self.exact else models.SearchParams(hnsw_ef=self.options.ef_search)
        answer = self._client.query_points(
            self._called,
            query=wire.decimals(vector),
            limit=k,
            query_filter=_filter(where),
            search_params=search,
            with_payload=["id"],
        )
        return [(point.payload["id"], point.score) for point in answer.points]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        points = self._client.retrieve(
            self._called, [naming.as_uuid(id) for id in ids], with_vectors=True
        )
        return [_record(point) for point in points]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        points, following = self._client.scroll(
            self._called, limit=PAGE, offset=after, with_payload=["id"]
        )
        return [point.payload["id"] for point in points], following

    def _count(self) -> int:
        return int(self._client.count(self._called, exact=True).count)

    def _clear(self) -> None:
        from qdrant_client import models

        self._client.delete(self._called, models.FilterSelector(filter=models.Filter()))

    def _facts(self) -> dict[str, str] | None:
        return self._client.get_collection(self._called).config.metadata or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        self._client.update_collection(self._called, metadata=facts)


def _filter(where: Where | None) -> Any:
    from qdrant_client import models

    if where is None:
        return None
    conditions: list[Any] = []
    if where.documents is not None:
        match = models.MatchAny(any=list(where.documents))
        conditions.append(models.FieldCondition(key="document", match=match))
    if where.pages is not None:
        first, last = where.pages
        for key, bound in (("last_page", {"gte": first}), ("first_page", {"lte": last})):
            conditions.append(models.FieldCondition(key=key, range=models.Range(**bound)))
    return models.Filter(must=conditions)


def _record(point: Any) -> Record:
    import numpy as np

    held = point.payload
    return Record(
        held["id"],
        np.asarray(point.vector, np.float32),
        held["text"],
        held["document"],
        held["first_page"],
        held["last_page"],
        held["data"],
    )

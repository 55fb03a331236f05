"""The vector store Weaviate: a collection on a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import metadata, naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Partial, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

PAGE = 500


class Options(BaseModel):
    """What can be set under `store` for Weaviate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field("http://127.0.0.1:8080", description="Address of the server.")
    grpc_port: int = Field(50051, ge=1, le=65535, description="Port of its gRPC interface.")
    name: str | None = Field(
        None, pattern=r"^[A-Z][A-Za-z0-9_]{0,200}$", description="Name of the collection."
    )
    api_key_env: str = Field("WEAVIATE_API_KEY", description="Variable that holds the key.")
    ef_search: int = Field(
        256, ge=10, le=10_000, description="Neighbours looked at; more find more, slower."
    )
    timeout_s: int = Field(60, gt=0, le=600, description="Longest wait for an answer, seconds.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> WeaviateStore:
    """The store as configured; nothing is sent yet."""
    return WeaviateStore(options, resources)


class WeaviateStore(Store):
    """Records in one collection of Weaviate, whose ids are UUIDs."""

    batch_rows: ClassVar[int] = 500
    fetch_rows: ClassVar[int] = 500

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self.options = options
        self._url = naming.server(options.url, "weaviate", resources)
        self._key = naming.key_of(options.api_key_env, resources)
        self._called = options.name or naming.table_name(None, resources).capitalize()
        manner = Manner("Weaviate", options.retries, options.api_key_env, resources.say)
        super().__init__(f"{self._url}/{self._called}", manner, embedding)
        self._client: Any = None

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        from weaviate import exceptions as own

        if isinstance(error, own.WeaviateTimeoutError):
            return Trouble("slow")
        if isinstance(error, own.UnexpectedStatusCodeError):
            status = error.status_code
            if status in (401, 403):
                return Trouble("key")
            return Trouble("busy" if status == 429 or status >= 500 else "refused", str(error))
        if isinstance(error, own.WeaviateConnectionError | own.WeaviateStartUpError):
            return Trouble("down", f"at {self._url}")
        if isinstance(error, own.WeaviateBaseError | Partial):
            return Trouble("busy", str(error))
        return None

    def _open(self, dimension: int | None, create: bool) -> bool:
        client = self._connected()
        if not client.collections.exists(self._called):
            if not create or dimension is None:
                return False
            self._create()
        held = self._facts() or {}
        if dimension is not None and held.get("dimension", str(dimension)) != str(dimension):
            raise ConfigError(
                f"The collection {self._called!r} holds vectors of {held['dimension']} numbers,"
                f" not {dimension}.",
                "Set store.name to another name.",
            )
        return True

    def _connected(self) -> Any:
        import weaviate
        from weaviate.classes.init import AdditionalConfig, Auth, Timeout

        if self._client is None:
            parts = urlsplit(self._url)
            secure = parts.scheme == "https"
            seconds = self.options.timeout_s
            self._client = weaviate.connect_to_custom(
                http_host=parts.hostname or "",
                http_port=parts.port or (443 if secure else 80),
                http_secure=secure,
                grpc_host=parts.hostname or "",
                grpc_port=self.options.grpc_port,
                grpc_secure=secure,
                auth_credentials=Auth.api_key(self._key) if self._key else None,
                additional_config=AdditionalConfig(
                    timeout=Timeout(init=10, query=seconds, insert=seconds)
                ),
            )
        return self._client

    def _create(self) -> None:
        from weaviate.classes.config import Configure, DataType, Property, VectorDistances

        texts = [
            Property(name=name, data_type=DataType.TEXT, index_searchable=False)
            for name in ("name", "text", "data")
        ]
        numbers = [
            Property(name=name, data_type=DataType.INT)
            for name in ("document", "first_page", "last_page")
        ]
        index = Configure.VectorIndex.hnsw(
            distance_metric=VectorDistances.COSINE, ef=self.options.ef_search
        )
        self._client.collections.create(
            self._called,
            properties=[*texts, *numbers],
            vector_config=Configure.Vectors.self_provided(vector_index_config=index),
        )

    @property
    def _held(self) -> Any:
        return self._client.collections.use(self._called)

    def _upsert(self, records: Sequence[Record]) -> None:
        from weaviate.classes.data import DataObject

        objects = [
            DataObject(
                properties=_properties(record),
                uuid=naming.as_uuid(record.id),
                vector=wire.decimals(record.vector),
            )
            for record in records
        ]
        answer = self._held.data.insert_many(objects)
        if answer.has_errors:
            raise Partial(str(next(iter(answer.errors.values())).message))

    def _erase(self, ids: Sequence[str]) -> None:
        from weaviate.classes.query import Filter

        if ids:
            self._held.data.delete_many(
                where=Filter.by_id().contains_any([naming.as_uuid(id) for id in ids])
            )

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        from weaviate.classes.query import MetadataQuery

        answer = self._held.query.near_vector(
            near_vector=wire.decimals(vector),
            limit=k,
            filters=_filter(where),
            return_metadata=MetadataQuery(distance=True),
            return_properties=["name"],
        )
        return [(each.properties["name"], 1 - each.metadata.distance) for each in answer.objects]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        from weaviate.classes.query import Filter

        answer = self._held.query.fetch_objects(
            filters=Filter.by_id().contains_any([naming.as_uuid(id) for id in ids]),
            limit=len(ids),
            include_vector=True,
        )
        return [_record(each) for each in answer.objects]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        answer = self._held.query.fetch_objects(limit=PAGE, after=after, return_properties=["name"])
        following = str(answer.objects[-1].uuid) if len(answer.objects) == PAGE else None
        return [each.properties["name"] for each in answer.objects], following

    def _count(self) -> int:
        return int(self._held.aggregate.over_all(total_count=True).total_count)

    def _clear(self) -> None:
        facts = self._facts()
        self._client.collections.delete(self._called)
        self._create()
        if facts is not None:
            self._set_facts(facts)

    def _facts(self) -> dict[str, str] | None:
        return wire.loads(self._held.config.get(simple=True).description) or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        self._held.config.update(description=json.dumps(facts))


def _properties(record: Record) -> dict[str, Any]:
    return {"name": record.id, "text": record.text, **metadata.of_record(record)}


def _filter(where: Where | None) -> Any:
    from weaviate.classes.query import Filter

    if where is None:
        return None
    conditions: list[Any] = []
    if where.documents is not None:
        conditions.append(Filter.by_property("document").contains_any(list(where.documents)))
    if where.pages is not None:
        first, last = where.pages
        conditions.append(Filter.by_property("last_page").greater_or_equal(first))
        conditions.append(Filter.by_property("first_page").less_or_equal(last))
    return Filter.all_of(conditions) if conditions else None


def _record(each: Any) -> Record:
    import numpy as np

    held = each.properties
    return Record(
        held["name"],
        np.asarray(each.vector["default"], np.float32),
        held["text"],
        int(held["document"]),
        held.get("first_page"),
        held.get("last_page"),
        wire.loads(held["data"]),
    )

"""The vector store Milvus: Lite, with a file of its own, or a server by its address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.sql import condition
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

PAGE = 5000
TEXT_BYTES = 65_000
COLUMNS = ["id", "vector", "text", "document", "first_page", "last_page", "data"]
NO_PAGE = -1


class Options(BaseModel):
    """What can be set under `store` for Milvus."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None,
        description="Address of a server; by default Milvus Lite with a file beside the ledger.",
    )
    name: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,200}$", description="Name of the collection."
    )
    api_key_env: str = Field("MILVUS_TOKEN", description="Variable that holds the token.")
    ef_search: int = Field(
        400, ge=10, le=10_000, description="Neighbours a server looks at; more find more, slower."
    )
    timeout_s: float = Field(60, gt=0, le=600, description="Longest wait for an answer, seconds.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> MilvusStore:
    """The store as configured; nothing is opened yet."""
    return MilvusStore(options, resources)


class MilvusStore(Store):
    """Records in one collection of Milvus."""

    batch_rows: ClassVar[int] = 2000
    batch_bytes: ClassVar[int] = 16_000_000
    fetch_rows: ClassVar[int] = 500

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self.options = options
        self._url = naming.server(options.url, "milvus", resources) if options.url else None
        self._file = resources.folder / "milvus.db"
        self._token = naming.key_of(options.api_key_env, resources)
        self._called = naming.table_name(options.name, resources)
        manner = Manner("Milvus", options.retries, options.api_key_env, resources.say)
        super().__init__(f"{self._url or self._file}/{self._called}", manner, embedding)
        self.exact = self._url is None
        self._client: Any = None

    def close(self) -> None:
        """Let go of the connection, or of the file."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        from pymilvus.exceptions import MilvusException

        if not isinstance(error, MilvusException):
            return None
        said = error.message
        if "auth" in said.lower():
            return Trouble("key")
        if "rate limit" in said.lower():
            return Trouble("busy", said)
        if "quota" in said.lower() or "disk" in said.lower():
            return Trouble("full", said)
        if "timeout" in said.lower() or "deadline" in said.lower():
            return Trouble("slow")
        return Trouble("down" if "connect" in said.lower() else "refused", said)

    def _open(self, dimension: int | None, create: bool) -> bool:
        from pymilvus import MilvusClient

        if self._client is None:
            if self._url is None:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            uri = self._url or str(self._file)
            self._client = MilvusClient(
                uri, token=self._token or "", timeout=self.options.timeout_s
            )
        if not self._client.has_collection(self._called):
            if not create or dimension is None:
                return False
            self._create(dimension)
        self._client.load_collection(self._called)
        fields = self._client.describe_collection(self._called)["fields"]
        held = next(int(f["params"]["dim"]) for f in fields if f["name"] == "vector")
        if dimension is not None and held != dimension:
            raise ConfigError(
                f"The collection {self._called!r} holds vectors of {held} numbers, not {dimension}.",
                "Set store.name to another name.",
            )
        return True

    def _create(self, dimension: int) -> None:
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        for name in ("text", "data"):
            schema.add_field(name, DataType.VARCHAR, max_length=65_535)
        for name in ("document", "first_page", "last_page"):
            schema.add_field(name, DataType.INT64)
        self._client.create_collection(
            self._called, schema=schema, index_params=self._index(), consistency_level="Strong"
        )
        beside = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        beside.add_field("name", DataType.VARCHAR, is_primary=True, max_length=512)
        beside.add_field("value", DataType.VARCHAR, max_length=65_535)
        beside.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        self._client.create_collection(
            self._beside, schema=beside, index_params=self._index(), consistency_level="Strong"
        )

    def _index(self) -> Any:
        index = self._client.prepare_index_params()
        kind = {"index_type": "FLAT"} if self._url is None else {
            "index_type": "HNSW", "params": {"M": 16, "efConstruction": 200},
        }  # fmt: skip
        index.add_index("vector", metric_type="COSINE", **kind)
        return index

    def _upsert(self, records: Sequence[Record]) -> None:
        self._client.upsert(self._called, [_row(record) for record in records])

    def _erase(self, ids: Sequence[str]) -> None:
        if ids:
            self._client.delete(self._called, ids=list(ids))

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        chosen = condition(where)
        if where is not None and where.pages is not None:
            chosen = f"{chosen} AND first_page != {NO_PAGE}"
        search: dict[str, Any] = {"metric_type": "COSINE"}
        if self._url is not None:
            search["params"] = {"ef": max(self.options.ef_search, k)}
        (hits,) = self._client.search(
            self._called,
            data=[wire.decimals(vector)],
            anns_field="vector",
            filter=_lower(chosen),
            limit=k,
            search_params=search,
            output_fields=["id"],
        )
        return [(hit["id"], float(hit["distance"])) for hit in hits]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        if not ids:
            return []
        rows = self._client.get(self._called, ids=list(ids), output_fields=COLUMNS)
        return [_record(row) for row in rows]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        pages = self._client.query_iterator(
            self._called, batch_size=PAGE, filter="", output_fields=["id"]
        )
        ids: list[str] = []
        while rows := pages.next():
            ids += [row["id"] for row in rows]
        pages.close()
        return ids, None

    def _count(self) -> int:
        (row,) = self._client.query(self._called, filter="", output_fields=["count(*)"])
        return int(row["count(*)"])

    def _clear(self) -> None:
        self._client.delete(self._called, filter="id != ''")

    def _facts(self) -> dict[str, str] | None:
        rows = self._client.query(
            self._beside, filter="name != ''", output_fields=["name", "value"], limit=100
        )
        return {row["name"]: row["value"] for row in rows} or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        rows = [
            {"name": name, "value": value, "vector": [1.0, 0.0]} for name, value in facts.items()
        ]
        self._client.upsert(self._beside, rows)

    @property
    def _beside(self) -> str:
        return f"{self._called}_facts"


def _lower(chosen: str | None) -> str:
    return (chosen or "").replace(" AND ", " and ").replace(" IN (", " in [").replace(")", "]")


def _row(record: Record) -> dict[str, Any]:
    record = wire.fitted(record, TEXT_BYTES)
    return {
        "id": record.id,
        "vector": wire.decimals(record.vector),
        "text": record.text,
        "document": record.document,
        "first_page": NO_PAGE if record.first_page is None else record.first_page,
        "last_page": NO_PAGE if record.last_page is None else record.last_page,
        "data": wire.dumps(record.data),
    }


def _record(row: dict[str, Any]) -> Record:
    import numpy as np

    first, last = (None if row[n] == NO_PAGE else row[n] for n in ("first_page", "last_page"))
    return Record(
        row["id"],
        np.asarray(row["vector"], np.float32),
        row["text"],
        row["document"],
        first,
        last,
        wire.loads(row["data"]),
    )

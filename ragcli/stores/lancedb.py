"""The vector store LanceDB: a table in a folder, or in an object store; every vector is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.sql import condition, quoted
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

FACTS = "_facts"


class Options(BaseModel):
    """What can be set under `store` for LanceDB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str | None = Field(
        None, description="Folder or object store (s3://...); by default beside the ledger."
    )
    name: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$", description="Name of the table."
    )
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a write collides.")


def build(options: Options, resources: Resources) -> LanceStore:
    """The store as configured; nothing is opened yet. NetworkError for an address when offline."""
    if options.uri and "://" in options.uri and resources.offline:
        raise naming.forbidden("lancedb", options.uri)
    return LanceStore(options, resources)


class LanceStore(Store):
    """Records in one table of LanceDB."""

    batch_rows: ClassVar[int] = 5000
    batch_bytes: ClassVar[int] = 50_000_000
    fetch_rows: ClassVar[int] = 1000
    exact = True

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self._uri = options.uri or str(resources.folder)
        self._called = naming.table_name(options.name, resources)
        manner = Manner("LanceDB", options.retries, say=resources.say)
        super().__init__(f"{self._uri}/{self._called}", manner, embedding)
        self._db: Any = None
        self._table: Any = None
        self._written = False

    def close(self) -> None:
        """Merge what was written in small pieces, and let go of the files."""
        if self._table is not None and self._written:
            self._table.optimize()
        self._db = self._table = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means; it has no classes of its own for most."""
        said = str(error)
        if not isinstance(error, RuntimeError | OSError | ValueError):
            return None
        if "onflict" in said:
            return Trouble("busy", said)
        if "No space left" in said:
            return Trouble("full", said)
        if isinstance(error, OSError) or "lance error" in said.lower():
            return Trouble("refused", said)
        return None

    def _open(self, dimension: int | None, create: bool) -> bool:
        import lancedb
        import pyarrow as pa

        if self._db is None:
            self._db = lancedb.connect(self._uri)
        names = self._names()
        if self._called not in names:
            if not create or dimension is None:
                return False
            self._db.create_table(self._called, schema=_schema(dimension), exist_ok=True)
            facts = pa.schema([("name", pa.string()), ("value", pa.string())])
            self._db.create_table(self._called + FACTS, schema=facts, exist_ok=True)
        self._table = self._db.open_table(self._called)
        held = self._table.schema.field("vector").type.list_size
        if dimension is not None and held != dimension:
            raise ConfigError(
                f"The table {self._called!r} holds vectors of {held} numbers, not {dimension}.",
                "Set store.name to another name.",
            )
        return True

    def _names(self) -> list[str]:
        answer = self._db.list_tables(limit=10_000)
        return list(getattr(answer, "tables", answer))

    def _upsert(self, records: Sequence[Record]) -> None:
        import pyarrow as pa

        columns = zip(*map(_row, records), strict=True)
        batch = pa.Table.from_arrays(
            [
                pa.array(list(column), field.type)
                for column, field in zip(columns, self._table.schema, strict=True)
            ],
            schema=self._table.schema,
        )
        merge = self._table.merge_insert("id").when_matched_update_all()
        merge.when_not_matched_insert_all().execute(batch)
        self._written = True

    def _erase(self, ids: Sequence[str]) -> None:
        self._table.delete(f"id IN ({quoted(ids)})")
        self._written = True

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        query = self._table.search(vector, vector_column_name="vector").metric("cosine")
        if (text := condition(where)) is not None:
            query = query.where(text, prefilter=True)
        rows = query.select(["id", "_distance"]).limit(k).to_arrow().to_pylist()
        return [(row["id"], 1 - row["_distance"]) for row in rows]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        query = self._table.search().where(f"id IN ({quoted(ids)})").limit(len(ids))
        return [_record(row) for row in query.to_arrow().to_pylist()] if ids else []

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        rows = self._table.search().select(["id"]).limit(max(self._count(), 1)).to_arrow()
        return rows.column("id").to_pylist(), None

    def _count(self) -> int:
        self._table.checkout_latest()
        return int(self._table.count_rows())

    def _clear(self) -> None:
        self._table.delete("true")

    def _facts(self) -> dict[str, str] | None:
        rows = self._db.open_table(self._called + FACTS).to_arrow().to_pylist()
        return {row["name"]: row["value"] for row in rows} or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        rows = [{"name": name, "value": value} for name, value in facts.items()]
        self._db.open_table(self._called + FACTS).add(rows, mode="overwrite")


def _schema(dimension: int) -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("id", pa.string()),
            ("vector", pa.list_(pa.float32(), dimension)),
            ("text", pa.string()),
            ("document", pa.int64()),
            ("first_page", pa.int64()),
            ("last_page", pa.int64()),
            ("data", pa.string()),
        ]
    )


def _row(record: Record) -> tuple[Any, ...]:
    return (
        record.id,
        record.vector,
        record.text,
        record.document,
        record.first_page,
        record.last_page,
        wire.dumps(record.data),
    )


def _record(row: dict[str, Any]) -> Record:
    import numpy as np

    return Record(
        row["id"],
        np.asarray(row["vector"], np.float32),
        row["text"],
        row["document"],
        row["first_page"],
        row["last_page"],
        wire.loads(row["data"]),
    )

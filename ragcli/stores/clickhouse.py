"""The vector store ClickHouse, or MyScale, which speaks as it does: every vector is compared.

A server by its address, else the engine in this process (chdb). A record that is put again is a
newer row; the engine forgets the older one when it likes, and is asked as if it had.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import naming, wire
from ragcli.stores.clickhouse_engines import Chdb, Server, Way
from ragcli.stores.engine import Found
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.sql import condition, quoted
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

PAGE = 10_000
TABLE = (
    "CREATE TABLE IF NOT EXISTS {table} (id String, vector Array(Float32), text String,"
    " document Int64, first_page Nullable(Int64), last_page Nullable(Int64), data String,"
    " version UInt64 MATERIALIZED toUnixTimestamp64Nano(now64(9)),"
    " CONSTRAINT width CHECK length(vector) = {width})"
    " ENGINE = ReplacingMergeTree(version) ORDER BY id"
)
FACTS = (
    "CREATE TABLE IF NOT EXISTS {table}_facts (name String, value String,"
    " version UInt64 MATERIALIZED toUnixTimestamp64Nano(now64(9)))"
    " ENGINE = ReplacingMergeTree(version) ORDER BY name"
)


class Options(BaseModel):
    """What can be set under `store` for ClickHouse and MyScale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None, description="Address of a server's HTTP port; by default in this process (chdb)."
    )
    user: str = Field("default", description="User of the server.")
    database: str = Field("default", description="Database of the server.")
    name: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$", description="Name of the table."
    )
    password_env: str = Field(
        "CLICKHOUSE_PASSWORD", description="Variable that holds the password."
    )
    timeout_s: int = Field(60, gt=0, le=3600, description="Longest wait for an answer, seconds.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> ClickHouseStore:
    """The store as configured; nothing is opened yet."""
    return ClickHouseStore(options, resources)


class ClickHouseStore(Store):
    """Records in one table."""

    batch_rows: ClassVar[int] = 10_000
    batch_bytes: ClassVar[int] = 50_000_000
    fetch_rows: ClassVar[int] = 1000
    exact = True

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self._called = naming.table_name(options.name, resources)
        self._engine = _engine(options, resources)
        manner = Manner("ClickHouse", options.retries, options.password_env, resources.say)
        super().__init__(f"{self._engine.place}/{self._called}", manner, embedding)

    def close(self) -> None:
        """Let go of the connection, or of the files."""
        self._engine.close()

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the packages means; both tell errors of the engine by their words."""
        said = str(error)
        if not self._engine.own(error):
            return None
        if "AUTHENTICATION_FAILED" in said or "REQUIRED_PASSWORD" in said:
            return Trouble("key")
        if "NOT_ENOUGH_SPACE" in said or "MEMORY_LIMIT" in said:
            return Trouble("full", said)
        if "TIMEOUT_EXCEEDED" in said or "timed out" in said.lower():
            return Trouble("slow")
        if "TOO_MANY" in said:
            return Trouble("busy", said)
        if "onnect" in said:
            return Trouble("down", f"at {self._engine.place}")
        return Trouble("refused", said)

    def _open(self, dimension: int | None, create: bool) -> bool:
        name = quoted([self._called])
        found = self._rows(
            f"SELECT create_table_query AS made FROM system.tables WHERE name = {name}"  # noqa: S608
            " AND database = currentDatabase()"
        )
        if not found:
            if not create or dimension is None:
                return False
            self._engine.run(TABLE.format(table=self._called, width=int(dimension)))
            self._engine.run(FACTS.format(table=self._called))
        elif dimension is not None and f"= {dimension}" not in found[0]["made"]:
            raise ConfigError(
                f"The table {self._called!r} holds vectors of another size than {dimension}.",
                "Set store.name to another name.",
            )
        return True

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        text = self._engine.run(
            f"{sql} SETTINGS output_format_json_quote_64bit_integers = 0 FORMAT JSONEachRow"
        )
        return [json.loads(line) for line in text.splitlines() if line]

    def _insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        self._engine.insert(table, "\n".join(wire.dumps(row) for row in rows))

    def _upsert(self, records: Sequence[Record]) -> None:
        rows = [
            {
                "id": record.id,
                "vector": wire.decimals(record.vector),
                "text": record.text,
                "document": record.document,
                "first_page": record.first_page,
                "last_page": record.last_page,
                "data": wire.dumps(record.data),
            }
            for record in records
        ]
        self._insert(self._called, rows)

    def _erase(self, ids: Sequence[str]) -> None:
        if ids:
            self._engine.run(f"DELETE FROM {self._called} WHERE id IN ({quoted(ids)})")  # noqa: S608

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        chosen = condition(where)
        numbers = ",".join(map(repr, wire.decimals(vector)))
        rows = self._rows(
            f"SELECT id, 1 - cosineDistance(vector, [{numbers}]::Array(Float32)) AS score"  # noqa: S608
            f" FROM {self._called} FINAL {'WHERE ' + chosen if chosen else ''}"
            f" ORDER BY score DESC LIMIT {int(k)}"
        )
        return [(row["id"], float(row["score"])) for row in rows]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        if not ids:
            return []
        rows = self._rows(
            "SELECT id, vector, text, document, first_page, last_page, data"  # noqa: S608
            f" FROM {self._called} FINAL WHERE id IN ({quoted(ids)})"
        )
        return [_record(row) for row in rows]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        rows = self._rows(
            f"SELECT id FROM {self._called} FINAL WHERE id > {quoted([after or ''])}"  # noqa: S608
            f" ORDER BY id LIMIT {PAGE}"
        )
        ids = [row["id"] for row in rows]
        return ids, ids[-1] if len(ids) == PAGE else None

    def _count(self) -> int:
        (row,) = self._rows(f"SELECT count() AS held FROM {self._called} FINAL")  # noqa: S608
        return int(row["held"])

    def _clear(self) -> None:
        self._engine.run(f"TRUNCATE TABLE {self._called}")

    def _facts(self) -> dict[str, str] | None:
        rows = self._rows(f"SELECT name, value FROM {self._called}_facts FINAL")  # noqa: S608
        return {row["name"]: row["value"] for row in rows} or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        rows = [{"name": name, "value": value} for name, value in facts.items()]
        self._insert(f"{self._called}_facts", rows)


def _engine(options: Options, resources: Resources) -> Way:
    if options.url is None:
        return Chdb(resources.folder)
    return Server(
        naming.server(options.url, "clickhouse", resources),
        user=options.user,
        password=naming.key_of(options.password_env, resources),
        database=options.database,
        timeout_s=options.timeout_s,
    )


def _record(row: dict[str, Any]) -> Record:
    import numpy as np

    return Record(
        row["id"],
        np.asarray(row["vector"], np.float32),
        row["text"],
        int(row["document"]),
        row["first_page"],
        row["last_page"],
        wire.loads(row["data"]),
    )

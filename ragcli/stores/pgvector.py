"""The vector store PostgreSQL with the extension pgvector: a table of a database."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.pgvector_link import Link
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.sql import condition
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

PAGE = 5000
INDEXED = 2000
"""pgvector's indexes take vectors of so many numbers; of more, every one is compared."""

TABLE = (
    "CREATE TABLE IF NOT EXISTS {table} (id text PRIMARY KEY, vector vector({width}) NOT NULL,"
    " text text NOT NULL, document bigint NOT NULL, first_page bigint, last_page bigint,"
    " data text NOT NULL)"
)
COLUMNS = "id, vector, text, document, first_page, last_page, data"
UPSERT = (
    "INSERT INTO {table} SELECT * FROM incoming ON CONFLICT (id) DO UPDATE SET"
    " vector = excluded.vector, text = excluded.text, document = excluded.document,"
    " first_page = excluded.first_page, last_page = excluded.last_page, data = excluded.data"
)


class Options(BaseModel):
    """What can be set under `store` for PostgreSQL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        "postgresql://localhost/postgres",
        description="Address of the database, with the user and without the password.",
    )
    name: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,50}$", description="Name of the table."
    )
    password_env: str = Field("PGPASSWORD", description="Variable that holds the password.")
    tls: bool | None = Field(
        None, description="Encrypt the connection; by default unless the server is this machine."
    )
    index: bool = Field(
        True, description="Search approximately by an index (HNSW); else compare every vector."
    )
    ef_search: int = Field(
        200, ge=10, le=1000, description="Neighbours looked at; more find more, slower."
    )
    timeout_s: float = Field(60, gt=0, le=3600, description="Longest wait for an answer, seconds.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> PostgresStore:
    """The store as configured; nothing is sent yet.

    Raises ConfigError where the address holds a password, NetworkError when offline.
    """
    return PostgresStore(options, resources)


class PostgresStore(Store):
    """Records in one table."""

    fetch_rows: ClassVar[int] = 1000

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self.options = options
        self._link = Link(
            options.url,
            password=naming.key_of(options.password_env, resources),
            tls=options.tls,
            timeout_s=options.timeout_s,
            offline=resources.offline,
        )
        self._called = naming.table_name(options.name, resources)
        manner = Manner("PostgreSQL", options.retries, options.password_env, resources.say)
        super().__init__(f"{options.url}/{self._called}", manner, embedding)
        self.exact = not options.index
        self.deepest = 10_000 if self.exact else options.ef_search * 10  # type: ignore[misc]

    def close(self) -> None:
        """Let go of the connection."""
        self._link.close()

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        return self._link.trouble(error)

    def _open(self, dimension: int | None, create: bool) -> bool:
        if self._link.run("SELECT to_regclass(:name)::text", name=self._called)[0][0] is None:
            if not create or dimension is None:
                return False
            self._create(dimension)
        ((held,),) = self._link.run(
            "SELECT atttypmod FROM pg_attribute WHERE attrelid = to_regclass(:name)"
            " AND attname = 'vector'",
            name=self._called,
        )
        if dimension is not None and held != dimension:
            raise ConfigError(
                f"The table {self._called!r} holds vectors of {held} numbers, not {dimension}.",
                "Set store.name to another name.",
            )
        return True

    def _create(self, dimension: int) -> None:
        with self._link.transaction():
            self._link.run("CREATE EXTENSION IF NOT EXISTS vector")
            self._link.run(TABLE.format(table=self._called, width=int(dimension)))
            self._link.run(
                f"CREATE INDEX IF NOT EXISTS {self._called}_d ON {self._called} (document)"
            )
            if self.options.index and dimension <= INDEXED:
                self._link.run(
                    f"CREATE INDEX IF NOT EXISTS {self._called}_v ON {self._called}"
                    " USING hnsw (vector vector_cosine_ops)"
                )

    def _upsert(self, records: Sequence[Record]) -> None:
        rows = "".join(map(_line, records)).encode()
        with self._link.transaction():
            self._link.run(f"CREATE TEMP TABLE incoming (LIKE {self._called}) ON COMMIT DROP")
            self._link.run(f"COPY incoming ({COLUMNS}) FROM STDIN", stream=io.BytesIO(rows))
            self._link.run(UPSERT.format(table=self._called))

    def _erase(self, ids: Sequence[str]) -> None:
        self._link.run(f"DELETE FROM {self._called} WHERE id = ANY(:ids)", ids=list(ids))

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        chosen = condition(where)
        with self._link.transaction():
            self._link.run(
                f"SET LOCAL hnsw.ef_search = {min(max(self.options.ef_search, k), 1000)}"
            )
            self._link.run("SET LOCAL hnsw.iterative_scan = strict_order")
            rows = self._link.run(
                f"SELECT id, 1 - (vector <=> CAST(:asked AS vector)) FROM {self._called}"
                f" {'WHERE ' + chosen if chosen else ''}"
                " ORDER BY vector <=> CAST(:asked AS vector) LIMIT :k",
                asked=_literal(vector),
                k=k,
            )
        return [(id, float(score)) for id, score in rows]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        rows = self._link.run(
            "SELECT id, vector::text, text, document, first_page, last_page, data"
            f" FROM {self._called} WHERE id = ANY(:ids)",
            ids=list(ids),
        )
        return [_record(row) for row in rows]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        rows = self._link.run(
            f"SELECT id FROM {self._called} WHERE id > :after ORDER BY id LIMIT {PAGE}",
            after=after or "",
        )
        ids = [row[0] for row in rows]
        return ids, ids[-1] if len(ids) == PAGE else None

    def _count(self) -> int:
        return int(self._link.run(f"SELECT count(*) FROM {self._called}")[0][0])

    def _clear(self) -> None:
        self._link.run(f"TRUNCATE {self._called}")

    def _facts(self) -> dict[str, str] | None:
        ((text,),) = self._link.run(
            "SELECT obj_description(to_regclass(:name), 'pg_class')", name=self._called
        )
        return wire.loads(text) or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        ((statement,),) = self._link.run(
            "SELECT format('COMMENT ON TABLE %I IS %L', CAST(:name AS text), CAST(:text AS text))",
            name=self._called.lower(),
            text=wire.dumps(facts),
        )
        self._link.run_as_it_is(statement)


def _literal(vector: np.ndarray) -> str:
    return "[" + ",".join(map(repr, wire.decimals(vector))) + "]"


def _line(record: Record) -> str:
    """A record in the text format of COPY."""
    pages = ("\\N" if page is None else str(page) for page in (record.first_page, record.last_page))
    texts = (_escaped(text) for text in (record.id, record.text, wire.dumps(record.data)))
    id, text, data = texts
    return "\t".join((id, _literal(record.vector), text, str(record.document), *pages, data)) + "\n"


def _escaped(text: str) -> str:
    text = text.replace("\0", "").replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _record(row: tuple[Any, ...]) -> Record:
    import numpy as np

    id, vector, text, document, first, last, data = row
    numbers = np.array(json.loads(vector), np.float32)
    return Record(id, numbers, text, document, first, last, wire.loads(data))

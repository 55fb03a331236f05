"""The vector store PostgreSQL with the extension pgvector: a table of a database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError, NetworkError
from ragcli.hosted.hosts import is_loopback
from ragcli.stores import naming, wire
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.sql import condition
from ragcli.stores.store import Found, Store
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
        parts = urlsplit(options.url)
        if parts.scheme not in ("postgresql", "postgres") or parts.password:
            raise ConfigError(
                "store.url is not the address of a database without a password.",
                "Write postgresql://user@host/database, and name the variable in store.password_env.",
            )
        if resources.offline and not is_loopback(parts.hostname or ""):
            raise NetworkError(
                f"--offline forbids store pgvector, which would ask {parts.hostname}.",
                "Leave out --offline, or set store.use to embedded.",
            )
        self._password = naming.key_of(options.password_env, resources)
        self._called = naming.table_name(options.name, resources)
        manner = Manner("PostgreSQL", options.retries, options.password_env, resources.say)
        super().__init__(f"{options.url}/{self._called}", manner, embedding)
        self.exact = not options.index
        self.deepest = 10_000 if self.exact else options.ef_search * 10  # type: ignore[misc]
        self._db: Any = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        import psycopg
        from psycopg import errors

        said = str(error).strip()
        if isinstance(error, errors.QueryCanceled):
            return Trouble("slow")
        if isinstance(error, errors.DiskFull | errors.InsufficientResources):
            return Trouble("full", said)
        if isinstance(error, errors.InvalidAuthorizationSpecification) or "password" in said:
            return Trouble("key")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            self.close()
            return Trouble("down", said)
        return Trouble("refused", said) if isinstance(error, psycopg.Error) else None

    def _open(self, dimension: int | None, create: bool) -> bool:
        with self._cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (self._called,))
            if cursor.fetchone()[0] is None:
                if not create or dimension is None:
                    return False
                self._create(cursor, dimension)
            cursor.execute(
                "SELECT atttypmod FROM pg_attribute WHERE attrelid = %s::regclass"
                " AND attname = 'vector'",
                (self._called,),
            )
            (held,) = cursor.fetchone()
        if dimension is not None and held != dimension:
            raise ConfigError(
                f"The table {self._called!r} holds vectors of {held} numbers, not {dimension}.",
                "Set store.name to another name.",
            )
        return True

    def _create(self, cursor: Any, dimension: int) -> None:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        cursor.execute(TABLE.format(table=self._called, width=int(dimension)))
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {self._called}_d ON {self._called} (document)")
        if self.options.index and dimension <= INDEXED:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {self._called}_v ON {self._called}"
                " USING hnsw (vector vector_cosine_ops)"
            )

    def _cursor(self) -> Any:
        """A cursor in a transaction of its own, on a connection that is made when needed."""
        import psycopg

        if self._db is None or self._db.closed:
            wait = int(self.options.timeout_s * 1000)
            self._db = psycopg.connect(
                self.options.url,
                password=self._password,
                connect_timeout=10,
                options=f"-c statement_timeout={wait} -c client_min_messages=warning",
            )
        return _Transaction(self._db)

    def _upsert(self, records: Sequence[Record]) -> None:
        with self._cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE incoming (LIKE {self._called}) ON COMMIT DROP")
            with cursor.copy(f"COPY incoming ({COLUMNS}) FROM STDIN") as copy:
                for record in records:
                    copy.write_row(_row(record))
            cursor.execute(UPSERT.format(table=self._called))

    def _erase(self, ids: Sequence[str]) -> None:
        with self._cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._called} WHERE id = ANY(%s)", (list(ids),))  # noqa: S608

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        chosen = condition(where)
        asked = _literal(vector)
        with self._cursor() as cursor:
            cursor.execute(
                f"SET LOCAL hnsw.ef_search = {min(max(self.options.ef_search, k), 1000)}"
            )
            cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            cursor.execute(
                f"SELECT id, 1 - (vector <=> %s::vector) FROM {self._called}"  # noqa: S608
                f" {'WHERE ' + chosen if chosen else ''} ORDER BY vector <=> %s::vector LIMIT %s",
                (asked, asked, k),
            )
            return [(id, float(score)) for id, score in cursor.fetchall()]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        with self._cursor() as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM {self._called} WHERE id = ANY(%s)",  # noqa: S608
                (list(ids),),
            )
            return [_record(row) for row in cursor.fetchall()]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        with self._cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {self._called} WHERE id > %s ORDER BY id LIMIT {PAGE}",  # noqa: S608
                (after or "",),
            )
            ids = [row[0] for row in cursor.fetchall()]
        return ids, ids[-1] if len(ids) == PAGE else None

    def _count(self) -> int:
        with self._cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self._called}")  # noqa: S608
            return int(cursor.fetchone()[0])

    def _clear(self) -> None:
        with self._cursor() as cursor:
            cursor.execute(f"TRUNCATE {self._called}")

    def _facts(self) -> dict[str, str] | None:
        with self._cursor() as cursor:
            cursor.execute("SELECT obj_description(%s::regclass, 'pg_class')", (self._called,))
            (text,) = cursor.fetchone()
        return wire.loads(text) or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        from psycopg import sql

        with self._cursor() as cursor:
            text = sql.Literal(json.dumps(facts))
            cursor.execute(sql.SQL(f"COMMENT ON TABLE {self._called} IS {{}}").format(text))


class _Transaction:
    """A cursor whose work is committed at the end, or undone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> Any:
        self._cursor = self._connection.cursor()
        return self._cursor

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._cursor.close()
        if error is None:
            self._connection.commit()
        elif not self._connection.closed:
            self._connection.rollback()


def _literal(vector: np.ndarray) -> str:
    return "[" + ",".join(map(repr, wire.decimals(vector))) + "]"


def _row(record: Record) -> tuple[Any, ...]:
    return (
        record.id,
        _literal(record.vector),
        record.text.replace("\0", ""),
        record.document,
        record.first_page,
        record.last_page,
        wire.dumps(record.data),
    )


def _record(row: tuple[Any, ...]) -> Record:
    import numpy as np

    id, vector, text, document, first, last, data = row
    numbers = np.array(json.loads(vector), np.float32)
    return Record(id, numbers, text, document, first, last, wire.loads(data))

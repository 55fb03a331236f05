"""The vector store PostgreSQL with the extension pgvector: a table of a database."""

from __future__ import annotations

import getpass
import io
import json
import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError, NetworkError
from ragcli.hosted.hosts import is_loopback
from ragcli.stores import naming, wire
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.sql import condition
from ragcli.stores.store import Found, Store
from ragcli.stores.trouble import Kind, Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

PAGE = 5000
INDEXED = 2000
"""pgvector's indexes take vectors of so many numbers; of more, every one is compared."""

CODES: dict[str, Kind] = {
    "28": "key", "53100": "full", "53200": "full", "53300": "busy", "57014": "slow",
    "57P": "down", "40": "busy",
}  # fmt: skip
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
        self._host = f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
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
        """What an error of the package means: a code of five letters, or a broken connection."""
        from pg8000.exceptions import DatabaseError, InterfaceError

        if isinstance(error, TimeoutError):
            self.close()
            return Trouble("slow")
        if isinstance(error, InterfaceError | OSError | struct.error):
            self.close()
            said = str(error)
            return Trouble("down", f"at {self._host}" if said.startswith("Can't create") else said)
        if not isinstance(error, DatabaseError):
            return None
        told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        code, said = str(told.get("C", "")), str(told.get("M", error))
        if code.startswith("57P"):
            self.close()
        for start, kind in CODES.items():
            if code.startswith(start):
                return Trouble(kind, "" if kind == "key" else said)
        return Trouble("refused", said)

    def _open(self, dimension: int | None, create: bool) -> bool:
        if self._run("SELECT to_regclass(:name)::text", name=self._called)[0][0] is None:
            if not create or dimension is None:
                return False
            self._create(dimension)
        ((held,),) = self._run(
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
        with self._transaction():
            self._run("CREATE EXTENSION IF NOT EXISTS vector")
            self._run(TABLE.format(table=self._called, width=int(dimension)))
            self._run(f"CREATE INDEX IF NOT EXISTS {self._called}_d ON {self._called} (document)")
            if self.options.index and dimension <= INDEXED:
                self._run(
                    f"CREATE INDEX IF NOT EXISTS {self._called}_v ON {self._called}"
                    " USING hnsw (vector vector_cosine_ops)"
                )

    def _run(self, sql: str, **values: Any) -> list[Any]:
        """The rows of a statement; the connection is made when needed."""
        return list(self._connected().run(sql, **values) or [])

    def _connected(self) -> Any:
        from pg8000.native import Connection

        if self._db is None:
            parts, options = urlsplit(self.options.url), self.options
            tls = not is_loopback(parts.hostname or "") if options.tls is None else options.tls
            db = Connection(
                unquote(parts.username or getpass.getuser()),
                host=parts.hostname or "localhost",
                port=parts.port or 5432,
                database=parts.path.strip("/") or "postgres",
                password=self._password,
                timeout=options.timeout_s,
                ssl_context=ssl.create_default_context() if tls else None,
            )
            db.run("SET client_min_messages = warning")
            self._db = db
        return self._db

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("START TRANSACTION")
        try:
            yield
        except BaseException:
            with suppress(Exception):  # the first failure is the one to tell
                self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def _upsert(self, records: Sequence[Record]) -> None:
        rows = "".join(map(_line, records)).encode()
        with self._transaction():
            self._run(f"CREATE TEMP TABLE incoming (LIKE {self._called}) ON COMMIT DROP")
            self._run(f"COPY incoming ({COLUMNS}) FROM STDIN", stream=io.BytesIO(rows))
            self._run(UPSERT.format(table=self._called))

    def _erase(self, ids: Sequence[str]) -> None:
        self._run(f"DELETE FROM {self._called} WHERE id = ANY(:ids)", ids=list(ids))

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        chosen = condition(where)
        with self._transaction():
            self._run(f"SET LOCAL hnsw.ef_search = {min(max(self.options.ef_search, k), 1000)}")
            self._run("SET LOCAL hnsw.iterative_scan = strict_order")
            rows = self._run(
                f"SELECT id, 1 - (vector <=> CAST(:asked AS vector)) FROM {self._called}"
                f" {'WHERE ' + chosen if chosen else ''}"
                " ORDER BY vector <=> CAST(:asked AS vector) LIMIT :k",
                asked=_literal(vector),
                k=k,
            )
        return [(id, float(score)) for id, score in rows]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        rows = self._run(
            "SELECT id, vector::text, text, document, first_page, last_page, data"
            f" FROM {self._called} WHERE id = ANY(:ids)",
            ids=list(ids),
        )
        return [_record(row) for row in rows]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        rows = self._run(
            f"SELECT id FROM {self._called} WHERE id > :after ORDER BY id LIMIT {PAGE}",
            after=after or "",
        )
        ids = [row[0] for row in rows]
        return ids, ids[-1] if len(ids) == PAGE else None

    def _count(self) -> int:
        return int(self._run(f"SELECT count(*) FROM {self._called}")[0][0])

    def _clear(self) -> None:
        self._run(f"TRUNCATE {self._called}")

    def _facts(self) -> dict[str, str] | None:
        ((text,),) = self._run(
            "SELECT obj_description(to_regclass(:name), 'pg_class')", name=self._called
        )
        return wire.loads(text) or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        ((statement,),) = self._run(
            "SELECT format('COMMENT ON TABLE %I IS %L', CAST(:name AS text), CAST(:text AS text))",
            name=self._called.lower(),
            text=wire.dumps(facts),
        )
        # As it is: colons in it are not the names of values.
        self._connected().execute_simple(statement)


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

"""The two ways to ClickHouse: its engine in this process, or a server over HTTP.

Both take statements and answer with text; what is in the tables is not their affair.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit


class Way(Protocol):
    """How statements reach an engine; `place` is where it is."""

    place: str

    def run(self, sql: str) -> str:
        """The answer to a statement, as text."""
        ...

    def insert(self, table: str, rows: str) -> None:
        """Add rows, a line of JSON each."""
        ...

    def own(self, error: Exception) -> bool:
        """Whether an exception is the engine's, and no bug of ours."""
        ...

    def close(self) -> None:
        """Let go of the connection, or of the files."""
        ...


class Chdb:
    """ClickHouse in this process, which has one session at a time."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder
        self._session: Any = None

    def run(self, sql: str) -> str:
        """The answer to a statement, as text."""
        from chdb.session import Session

        if self._session is None:
            self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._session = Session(self.place)
            self._session.query("CREATE DATABASE IF NOT EXISTS ragcli")
            self._session.query("USE ragcli")
        return str(self._session.query(sql, "JSONEachRow").bytes().decode())

    def insert(self, table: str, rows: str) -> None:
        """Add rows, a line of JSON each."""
        self.run(f"INSERT INTO {table} FORMAT JSONEachRow {rows}")

    def own(self, error: Exception) -> bool:
        """Whether an exception is the engine's."""
        return isinstance(error, RuntimeError) or type(error).__name__ == "ChdbError"

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.close()
            self._session = None


class Server:
    """ClickHouse elsewhere, over HTTP."""

    def __init__(
        self, url: str, *, user: str, password: str | None, database: str, timeout_s: int
    ) -> None:
        self.place = url
        self._login: dict[str, Any] = {
            "username": user,
            "password": password or "",
            "database": database,
        }
        self._timeout_s = timeout_s
        self._client: Any = None

    def run(self, sql: str) -> str:
        """The answer to a statement, as text."""
        return str(self._connected().raw_query(sql).decode())

    def insert(self, table: str, rows: str) -> None:
        """Add rows, a line of JSON each."""
        self._connected().raw_insert(table, insert_block=rows, fmt="JSONEachRow")

    def own(self, error: Exception) -> bool:
        """Whether an exception is the package's."""
        from clickhouse_connect.driver.exceptions import ClickHouseError

        return isinstance(error, ClickHouseError)

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Any:
        import clickhouse_connect

        if self._client is None:
            # What it logs it also raises.
            logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
            parts = urlsplit(self.place)
            self._client = clickhouse_connect.get_client(
                host=parts.hostname,
                port=parts.port or (8443 if parts.scheme == "https" else 8123),
                secure=parts.scheme == "https",
                send_receive_timeout=self._timeout_s,
                autogenerate_session_id=False,
                **self._login,
            )
        return self._client

"""A connection to PostgreSQL: its address, its certificate, transactions, and what its errors mean."""

from __future__ import annotations

import getpass
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from ragcli.errors import ConfigError
from ragcli.hosted.hosts import is_loopback
from ragcli.stores import naming
from ragcli.stores.trouble import Kind, Trouble

CODES: dict[str, Kind] = {
    "28": "key", "53100": "full", "53200": "full", "53300": "busy", "57014": "slow",
    "57P": "down", "40": "busy",
}  # fmt: skip
"""Codes of five letters, by how they begin (PostgreSQL's manual, appendix A)."""


class Link:
    """One connection, made when it is first needed and again after it broke.

    `tls` encrypts, by default unless the server is this machine.

    Raises ConfigError where the address holds a password, NetworkError when offline.
    """

    def __init__(
        self, url: str, *, password: str | None, tls: bool | None, timeout_s: float, offline: bool
    ) -> None:
        self._parts = urlsplit(url)
        host = self._parts.hostname or "localhost"
        if self._parts.scheme not in ("postgresql", "postgres") or self._parts.password:
            raise ConfigError(
                "store.url is not the address of a database without a password.",
                "Write postgresql://user@host/database, and name the variable in store.password_env.",
            )
        if offline and not is_loopback(host):
            raise naming.forbidden("pgvector", host)
        self._host, self._port = host, self._parts.port or 5432
        self._password = password
        self._tls = not is_loopback(host) if tls is None else tls
        self._timeout_s = timeout_s
        self._db: Any = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def run(self, sql: str, **values: Any) -> list[Any]:
        """The rows of a statement; `:name` in it is the value of that name."""
        return list(self._connected().run(sql, **values) or [])

    def run_as_it_is(self, sql: str) -> None:
        """A statement in which colons mean nothing."""
        self._connected().execute_simple(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is run within counts together or not at all."""
        self.run("START TRANSACTION")
        try:
            yield
        except BaseException:
            with suppress(Exception):  # the first failure is the one to tell
                self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means; a connection that broke is let go of."""
        from pg8000.exceptions import DatabaseError, InterfaceError

        if isinstance(error, TimeoutError):
            self.close()
            return Trouble("slow")
        if isinstance(error, InterfaceError | OSError | struct.error):
            self.close()
            said = str(error)
            nobody = said.startswith("Can't create a connection")
            return Trouble("down", f"at {self._host}:{self._port}" if nobody else said)
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

    def _connected(self) -> Any:
        from pg8000.native import Connection

        if self._db is None:
            db = Connection(
                unquote(self._parts.username or getpass.getuser()),
                host=self._host,
                port=self._port,
                database=self._parts.path.strip("/") or "postgres",
                password=self._password,
                timeout=self._timeout_s,
                ssl_context=ssl.create_default_context() if self._tls else None,
            )
            db.run("SET client_min_messages = warning")
            self._db = db
        return self._db

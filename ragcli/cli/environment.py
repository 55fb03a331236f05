"""What the process inherits: `.env` files, switches of libraries, the network guard of --offline."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from ragcli.errors import ConfigError, NetworkError
from ragcli.hosted.hosts import is_loopback

_SWITCHES = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


_tracing: list[str] = []


def silence_libraries(environ: MutableMapping[str, str]) -> None:
    """Switch off telemetry and tracing of libraries, and remember what was on."""
    _tracing[:] = [
        name
        for name in _SWITCHES
        if "TRACING" in name and environ.get(name, "").lower() in ("1", "true")
    ]
    environ.update(_SWITCHES)


def silence_logs() -> None:
    """Keep what libraries log off stderr, where it ends as long as nobody takes it."""
    import logging

    logging.getLogger().addHandler(logging.NullHandler())


def tracing_variables() -> list[str]:
    """The variables that asked for tracing before `silence_libraries` switched it off."""
    return list(_tracing)


def with_dotenv(environ: Mapping[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """The environment, with what `.env` files in these folders add; they never override it.

    The values go into the returned mapping only, not into the process, so that a `.env` of a
    folder that somebody else wrote cannot redirect a library.
    """
    from dotenv import dotenv_values

    merged: dict[str, str] = {}
    for folder in folders:
        file = folder / ".env"
        if file.is_file():
            try:
                values = dotenv_values(file, interpolate=False, encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise ConfigError(f"{file} cannot be read: {reason}.", "Correct it.") from error
            merged.update({name: value for name, value in values.items() if value is not None})
    merged.update(environ)
    return merged


def forbid_network() -> None:
    """Make every connection and look-up beyond this machine raise NetworkError, for good."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    sys.addaudithook(_guard)


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" or event == "socket.sendto":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if host is not None and not is_loopback(host):
        raise NetworkError(
            f"--offline forbids a connection to {host!s}.",
            "Leave out --offline, or configure parts that run on this machine.",
        )

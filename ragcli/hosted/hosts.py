"""Addresses of servers: what a `base_url` may look like, and whether it is this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ragcli.errors import ConfigError


def is_loopback(host: str | bytes) -> bool:
    """Whether this host name or address is this machine itself."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


def checked_url(url: str, key: str) -> str:
    """The address without a slash at its end; raises ConfigError, which names the setting `key`.

    A user name or password in it is refused: secrets come from variables.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigError(
            f"{key} {url!r} is not the address of a server.",
            "For example: http://127.0.0.1:8000/v1",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"{key} holds more than an address and a path.",
            "Put a key into a variable and name it with api_key_env.",
        )
    return url.rstrip("/")


def host_of(url: str) -> str:
    """The host of a checked address, with its port where it names one."""
    return urlsplit(url).netloc


def is_local(url: str) -> bool:
    """Whether a checked address is this machine itself."""
    return is_loopback(urlsplit(url).hostname or "")

"""Names, ids and addresses as engines want them, and keys as they are configured."""

from __future__ import annotations

import re
import uuid

from ragcli.errors import MissingKey, NetworkError
from ragcli.hosted.hosts import checked_url, host_of, is_local
from ragcli.stores.resources import Resources

NAMESPACE = uuid.UUID("0b9d7c42-5f0e-5d0c-8f3a-2c6f1f6a7e11")


def table_name(given: str | None, resources: Resources) -> str:
    """The name as set, or one made of the collection's that any engine takes."""
    return given or "ragcli_" + re.sub(r"[^A-Za-z0-9]", "_", resources.name)


def as_uuid(id: str) -> str:
    """The id itself where it is a UUID, else one that is made of it, for engines that know no other."""
    try:
        return str(uuid.UUID(id))
    except ValueError:
        return str(uuid.uuid5(NAMESPACE, id))


def server(url: str, use: str, resources: Resources) -> str:
    """The address of a server, checked; raises ConfigError, or NetworkError when offline."""
    address = checked_url(url, "store.url")
    if resources.offline and not is_local(address):
        raise forbidden(use, host_of(address))
    return address


def forbidden(use: str, host: str) -> NetworkError:
    """The error for a store that --offline keeps from being asked."""
    return NetworkError(
        f"--offline forbids store {use}, which would ask {host}.",
        "Leave out --offline, or set store.use to embedded.",
    )


def key_of(name: str, resources: Resources) -> str | None:
    """The key in this variable, if it holds one."""
    return resources.keys.get(name, "").strip() or None


def needed_key(name: str, use: str, resources: Resources) -> str:
    """The key in this variable; raises MissingKey where it holds none."""
    key = key_of(name, resources)
    if key is None:
        raise MissingKey(
            f"store {use} needs a key, and the variable {name} holds none.",
            f"Set it: export {name}=...; or write {name}=... into a file .env here.",
        )
    return key

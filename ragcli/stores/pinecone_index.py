"""The index of Pinecone that holds a namespace: found, made where that may cost money, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ragcli.errors import ConfigError, StoreError


@dataclass(frozen=True, slots=True)
class Wanted:
    """The index as configured, and whether it may be made."""

    name: str
    metric: str
    cloud: str
    region: str
    create: bool


def open_index(client: Any, wanted: Wanted, dimension: int | None) -> Any | None:
    """What Pinecone says of the index, made for vectors of `dimension` where that is given.

    Raises StoreError where it has to be made and must not.
    """
    from pinecone import errors

    try:
        return client.describe_index(wanted.name)
    except errors.NotFoundError:
        return None if dimension is None else _created(client, wanted, dimension)


def check_index(model: Any, wanted: Wanted, dimension: int | None) -> None:
    """Raise ConfigError where it is of another dimension or metric, StoreError while it is made."""
    name = wanted.name
    if dimension is not None and model.dimension != dimension:
        raise ConfigError(
            f"The index {name!r} holds vectors of {model.dimension} numbers, not {dimension}.",
            "Set store.index to another name, or embedder.model to what the index was made for.",
        )
    if model.metric != wanted.metric:
        raise ConfigError(
            f"The index {name!r} has the metric {model.metric}, not {wanted.metric}.",
            f"Set store.metric to {model.metric}, or store.index to another name.",
        )
    if not model.host:
        raise StoreError(f"The index {name!r} is not ready yet.", "Try again in a minute.")


def _created(client: Any, wanted: Wanted, dimension: int) -> Any:
    from pinecone import ServerlessSpec, errors

    if not wanted.create:
        raise StoreError(
            f"Pinecone has no index {wanted.name!r} for this key.",
            "An index may cost money: create it with --yes, or set store.create: true.",
        )
    spec = ServerlessSpec(cloud=wanted.cloud, region=wanted.region)
    try:
        return client.create_index(
            name=wanted.name, dimension=dimension, metric=wanted.metric, spec=spec
        )
    except errors.ConflictError:  # an attempt before this one, whose reply was lost
        return client.describe_index(wanted.name)

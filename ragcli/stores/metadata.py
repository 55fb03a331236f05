"""Records as metadata beside a vector, for engines that are asked with conditions in JSON."""

from __future__ import annotations

from typing import Any

from ragcli.stores import wire
from ragcli.stores.records import Record, Where


def of_record(record: Record) -> dict[str, Any]:
    """What there is to know of a record but its text; no field where there is no page."""
    metadata: dict[str, Any] = {"document": record.document, "data": wire.dumps(record.data)}
    if record.first_page is not None:
        metadata |= {"first_page": record.first_page, "last_page": record.last_page}
    return metadata


def condition(where: Where | None) -> dict[str, Any] | None:
    """The records that may be found, over these fields."""
    if where is None:
        return None
    conditions: list[dict[str, Any]] = []
    if where.documents is not None:
        conditions.append({"document": {"$in": list(where.documents)}})
    if where.pages is not None:
        first, last = where.pages
        conditions += [{"last_page": {"$gte": first}}, {"first_page": {"$lte": last}}]
    return {"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None

"""Records as they travel: data as JSON text, vectors as short decimals, and how many bytes that is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ragcli.stores.records import Record

if TYPE_CHECKING:
    import numpy as np

NUMBER_BYTES = 12
FRAME_BYTES = 400
DROPPED_FIRST = ("metadata", "warnings", "heading")


def dumps(data: Mapping[str, Any]) -> str:
    """Data as compact JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def loads(text: str | None) -> dict[str, Any]:
    """What `dumps` made, read again; empty for text that it did not make."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def decimals(vector: np.ndarray) -> list[float]:
    """The numbers of a unit vector, short in JSON; float16 numbers keep their value."""
    import numpy as np

    numbers: list[float] = np.round(vector.astype(np.float64), 7).tolist()
    return numbers


def weight(record: Record) -> int:
    """About how many bytes a record takes in a JSON request, rather too many than too few."""
    text = len(json.dumps(record.text, ensure_ascii=False).encode("utf-8", "replace"))
    data = len(json.dumps(dumps(record.data), ensure_ascii=False).encode("utf-8", "replace"))
    return NUMBER_BYTES * len(record.vector) + text + data + FRAME_BYTES


def batches(records: Iterable[Record], rows: int, most_bytes: int) -> Iterator[list[Record]]:
    """Records in their order, as many together as one request takes."""
    batch: list[Record] = []
    size = 0
    for record in records:
        own = weight(record)
        if batch and (len(batch) >= rows or size + own > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += own
    if batch:
        yield batch


def fitted(record: Record, most_bytes: int) -> Record:
    """The record with no more text and data than fit; what was left out is named in `cut`."""
    dropped: list[str] = []
    fitting = record
    for name in (*DROPPED_FIRST, "text"):
        over = _besides_vector(fitting) - most_bytes
        if over <= 0:
            return fitting
        dropped.append(name)
        if name == "text":
            kept = fitting.text.encode()[: max(len(fitting.text.encode()) - 2 * over - 100, 0)]
            fitting = replace(fitting, text=kept.decode("utf-8", "ignore"))
        data = {key: value for key, value in fitting.data.items() if key != name}
        fitting = replace(fitting, data={**data, "cut": list(dropped)})
    return fitting


def equal_halves(records: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
    """Both halves, for a request that was too large after all."""
    middle = len(records) // 2
    return records[:middle], records[middle:]


def _besides_vector(record: Record) -> int:
    return weight(record) - NUMBER_BYTES * len(record.vector)

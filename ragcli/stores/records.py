"""What a store holds and is asked for: records, and the conditions they are chosen by. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Record:
    """A vector with the text it stands for.

    `vector` is float32 of unit length, shape (dimension,). `document` is a number by which the
    records of one document are found together, below 2**48 so that every engine keeps it exactly.
    `data` is whatever else there is to know, as JSON can say it.
    """

    id: str
    vector: np.ndarray
    text: str
    document: int = 0
    first_page: int | None = None
    last_page: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """Which records may be found: of these documents, on these pages; None means any.

    `pages` is inclusive. A record without a page is on no page.
    """

    documents: tuple[int, ...] | None = None
    pages: tuple[int, int] | None = None

"""What an engine must do to be a store, and what is done for each: patience, batches, settling.

An engine's own file says how a record is put, taken out, found and counted. A score is a cosine
everywhere. Knows no ledger.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from ragcli.stores.records import Record, Where
from ragcli.stores.trouble import Manner, Trouble, patiently

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
Found = tuple[str, float]
SETTLE_S, SETTLE_POLL_S = 60.0, 0.2


class Engine(ABC):
    """Records by id, and the nearest of them to a vector.

    `batch_rows` and `batch_bytes` bound one request, `parallel` is how many may be under way,
    `deepest` the most that one search returns, `most_values` the most documents in one condition.
    """

    batch_rows: ClassVar[int] = 1000
    batch_bytes: ClassVar[int] = 2_000_000
    fetch_rows: ClassVar[int] = 100
    deepest: ClassVar[int] = 10_000
    most_values: ClassVar[int] = 1000
    parallel: int = 1
    exact: bool = False

    def __init__(self, place: str, manner: Manner) -> None:
        self.place = place
        self.manner = manner
        self._dimension: int | None = None
        self._known = False

    # What an engine must say

    @abstractmethod
    def _open(self, dimension: int | None, create: bool) -> bool:
        """Whether the place exists, made when missing if `create`; ConfigError when it differs."""

    @abstractmethod
    def _upsert(self, records: Sequence[Record]) -> None: ...

    @abstractmethod
    def _erase(self, ids: Sequence[str]) -> None: ...

    @abstractmethod
    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]: ...

    @abstractmethod
    def _fetch(self, ids: Sequence[str]) -> list[Record]: ...

    @abstractmethod
    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        """A page of the ids that are there, and what to ask the next page with, if there is one."""

    @abstractmethod
    def _count(self) -> int: ...

    @abstractmethod
    def _clear(self) -> None: ...

    @abstractmethod
    def _facts(self) -> dict[str, str] | None: ...

    @abstractmethod
    def _set_facts(self, facts: dict[str, str]) -> None: ...

    @abstractmethod
    def trouble(self, error: Exception) -> Trouble | None:
        """What a failure of the engine means; None for a bug."""

    def close(self) -> None:  # noqa: B027 - not every engine has any
        """Let go of connections and files."""

    # What the program asks

    def ask(self, request: Callable[[], T]) -> T:
        """The answer to a request, repeated where that may help; raises RagcliErrors."""
        answer = patiently(request, self.trouble, self.manner, known=self._known)
        self._known = True
        return answer

    def open(self, dimension: int | None = None, *, create: bool = False) -> bool:
        """Whether the store's place exists; with `create` it is made for vectors of `dimension`.

        Raises ConfigError when it is there but of another dimension or metric.
        """
        self._dimension = dimension
        return self.ask(lambda: self._open(dimension, create))

    def facts(self) -> dict[str, str] | None:
        """What was written down about the whole store, such as the model of its vectors."""
        return self.ask(self._facts)

    def set_facts(self, facts: dict[str, str]) -> None:
        """Write down what is to be known about the whole store."""
        self.ask(lambda: self._set_facts(facts))

    def count(self) -> int:
        """How many records there are."""
        return self.ask(self._count)

    def upsert(self, records: Sequence[Record]) -> None:
        """Put records, at most `batch_rows` of at most `batch_bytes`, over those with the same id."""
        if records:
            self.ask(lambda: self._upsert(records))

    def erase(self, ids: Sequence[str]) -> None:
        """Take records out; unknown ids are passed over."""
        for start in range(0, len(ids), self.batch_rows):
            part = list(ids[start : start + self.batch_rows])
            self.ask(lambda part=part: self._erase(part))  # type: ignore[misc]

    def clear(self) -> None:
        """Take every record out."""
        self.ask(self._clear)

    def nearest(self, vector: np.ndarray, k: int, where: Where | None = None) -> list[Found]:
        """The k records nearest to a unit vector: id and cosine, best first, at most `deepest`."""
        k = min(k, self.deepest)
        return self.ask(lambda: self._nearest(vector, k, where)) if k > 0 else []

    def fetch(self, ids: Sequence[str]) -> list[Record]:
        """The records with these ids, in this order, without those that are not there."""
        found: dict[str, Record] = {}
        for start in range(0, len(ids), self.fetch_rows):
            part = list(ids[start : start + self.fetch_rows])
            records = self.ask(lambda part=part: self._fetch(part))  # type: ignore[misc]
            found.update((record.id, record) for record in records)
        return [found[id] for id in ids if id in found]

    def ids(self) -> Iterator[str]:
        """The ids of all records."""
        after: str | None = None
        while True:
            page, after = self.ask(lambda after=after: self._ids(after))  # type: ignore[misc]
            yield from page
            if after is None:
                return

    def settle(self, expected: int, patience_s: float = SETTLE_S) -> int:
        """Wait until as many records can be read as were written; how many there were in the end.

        Some engines show what they were given a little later.
        """
        end = time.monotonic() + patience_s
        while (count := self.count()) != expected and time.monotonic() < end:
            time.sleep(SETTLE_POLL_S)
        return count

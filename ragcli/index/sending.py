"""Brings a store level with the ledger: sends what is missing, erases what is gone, proves it.

Goes on from any fault: what was sent is noted before it is sent, and a position is noted once
everything up to it was acknowledged. Sending twice changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.errors import StoreError
from ragcli.index import outgoing
from ragcli.index.ledger import Ledger
from ragcli.index.mirror import Mirror
from ragcli.stores import wire
from ragcli.stores.records import Record

if TYPE_CHECKING:
    from ragcli.stores.store import Store

STEP = 2000
SAMPLE = 500
BRIEF_S = 5.0
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What bringing a store level takes. `bytes` and `requests` are estimates."""

    vectors: int
    deletions: int
    bytes: int
    requests: int


class Sender:
    """The way from one ledger to one store; `advance` is told how many chunks were sent."""

    def __init__(self, store: Store, ledger: Ledger, mirror: Mirror) -> None:
        self._store = store
        self._ledger = ledger
        self._mirror = mirror

    def plan(self, *, anew: bool) -> Plan:
        """What there is to send; `anew` where the mirror does not say what the store holds."""
        ledger = self._ledger
        if anew:
            keys, gone = _embedded(ledger), 0
        else:
            added, removed = self._changed(self._mirror.position, ledger.position())
            keys, gone = sorted(added), len(self._mirror.ids_of(sorted(removed)))
        size, batches, count = 0, 0, 0
        for batch in self._batches(keys[:SAMPLE]):
            size += sum(wire.weight(record) for _, record in batch)
            batches, count = batches + 1, count + len(batch)
        scale = len(keys) / count if count else 0.0
        deletions = -(-gone // self._store.batch_rows)
        return Plan(len(keys), gone, round(size * scale), round(batches * scale + deletions))

    def follow(self, advance: Advance) -> None:
        """Carry over what the ledger has logged since the mirror's position."""
        goal = self._ledger.position()
        position = self._mirror.position
        while position < goal:
            changes = self._ledger.changes(position, STEP)
            reached = changes[-1].seq if changes else goal
            added, removed = self._changed(position, reached)
            self._send(sorted(added), advance)
            self._erase(sorted(removed))
            position = reached
            self._mirror.reached(position)

    def prove(self) -> None:
        """Make sure that the store holds exactly what was sent; mends what it lost or has too much.

        Raises StoreError when the store keeps losing it.
        """
        for patience_s in (BRIEF_S, 60.0, 0.0):
            expected = self._mirror.count()
            held = self._store.settle(expected, patience_s)
            if held == expected:
                return
            if patience_s:
                self._mend()
        raise StoreError(
            f"{self._store.manner.title} holds {held} records where {expected} were sent.",
            "Try again with: ragcli sync; nobody else may write to the same place.",
        )

    def _mend(self) -> None:
        there, known = set(self._store.ids()), self._mirror.ids()
        self._store.erase(sorted(there - known))
        if lost := sorted(known - there):
            chunks = self._mirror.chunks_of(lost)
            self._send(chunks, lambda number: None)

    def _changed(self, position: int, goal: int) -> tuple[set[int], set[int]]:
        """The chunks that got a vector between two positions, and those that went."""
        added, removed = set[int](), set[int]()
        while position < goal and (changes := self._ledger.changes(position, STEP)):
            within = [change for change in changes if change.seq <= goal]
            added |= {change.chunk for change in within if change.op in ("vector", "moved")}
            removed |= {change.chunk for change in within if change.op == "gone"}
            position = changes[-1].seq
        return added - removed, removed

    def _send(self, keys: Sequence[int], advance: Advance) -> set[str]:
        """Send these chunks, many requests at once; the ids, once all were acknowledged."""
        ids: set[str] = set()
        under_way: deque[tuple[int, Future[None]]] = deque()
        pool = ThreadPoolExecutor(self._store.parallel, "ragcli-store")
        try:
            for batch in self._batches(keys):
                self._mirror.intend((record.id, key) for key, record in batch)
                ids |= {record.id for _, record in batch}
                records = _last_of_each([record for _, record in batch])
                if self._store.parallel == 1:  # an engine in this process may ask for this thread
                    self._store.upsert(records)
                    advance(len(batch))
                    continue
                under_way.append((len(batch), pool.submit(self._store.upsert, records)))
                while len(under_way) > 2 * self._store.parallel:
                    _finish(under_way, advance)
            while under_way:
                _finish(under_way, advance)
        finally:
            pool.shutdown(cancel_futures=True)
        self._erase_ids([id for id in self._mirror.ids_of(keys) if id not in ids])
        return ids

    def _batches(self, keys: Sequence[int]) -> Iterator[list[tuple[int, Record]]]:
        pairs = dict[int, Record]()
        store = self._store

        def passing() -> Iterator[Record]:
            for key, record in outgoing.records(self._ledger, keys):
                pairs[key] = record
                yield record

        for batch in wire.batches(passing(), store.batch_rows, store.batch_bytes):
            taken = list(pairs.items())[: len(batch)]
            for key, _ in taken:
                del pairs[key]
            yield taken

    def _erase(self, chunks: Sequence[int]) -> None:
        if chunks:
            self._erase_ids(self._mirror.ids_of(chunks))

    def _erase_ids(self, ids: Sequence[str]) -> None:
        """Erase ids, except those that another chunk with the same text at the same place has."""
        if not ids:
            return
        still = self._ledger.keys_of(ids)
        kept = sorted({key for keys in still.values() for key in keys})
        sent = self._send(kept, lambda number: None) if kept else set[str]()
        gone = [id for id in ids if id not in sent]
        self._store.erase(gone)
        self._mirror.erased(gone)


def _finish(under_way: deque[tuple[int, Future[None]]], advance: Advance) -> None:
    count, future = under_way.popleft()
    future.result()
    advance(count)


def _last_of_each(records: Sequence[Record]) -> list[Record]:
    """Some engines refuse a request that names an id twice."""
    return list({record.id: record for record in records}.values())


def _embedded(ledger: Ledger) -> list[int]:
    rows = ledger.query(
        "SELECT c.key FROM chunks c JOIN vectors v ON v.id = c.vector JOIN documents d"
        " ON d.id = c.document JOIN files f ON f.id = d.file"
        " WHERE v.data IS NOT NULL AND f.state = 'ready' ORDER BY c.key"
    )
    return [row[0] for row in rows]

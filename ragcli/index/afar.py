"""A collection whose ledger is on another machine: its store can be asked, by meaning alone.

What a hit says and where it stands is read from the store. Offers of a `Collection` what a search
needs; writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from ragcli.errors import CollectionMissing, UsageError
from ragcli.index import fingerprint
from ragcli.index.elsewhere import configured_store
from ragcli.index.incoming import spans_of
from ragcli.index.lexical import LexicalIndex
from ragcli.index.rows import Coverage, Selection
from ragcli.stores.records import Record, Where
from ragcli.types import StoredChunk

if TYPE_CHECKING:
    import numpy as np

    from ragcli.index.surroundings import Surroundings
    from ragcli.settings import Settings
    from ragcli.stores.store import Store


class FarCollection:
    """What a search needs of a collection, from its store alone."""

    words = False

    def __init__(self, name: str, store: Store, settings: Settings) -> None:
        self.name = name
        self.store = store
        self._language = settings.lexical.language
        self._fetch = f"Fetch it with: ragcli sync --from {settings.store.use}"
        facts = self.store.facts() if self.store.open() else None
        if facts is None or "splitter" not in facts:
            self.store.close()
            raise _missing(name, store)
        self.warnings = [
            f"The ledger is not on this machine: documents are found by meaning only. {self._fetch}"
        ]
        self.ledger = _Ledger(facts, self.store.count(), self._fetch)
        self.dense = _Dense(self.store, self.ledger)

    @classmethod
    def open(cls, directory: Path, settings: Settings, around: Surroundings) -> Self:
        """The collection of this name in the store that is configured.

        Raises CollectionMissing, and what `configured_store` does.
        """
        store = configured_store(directory, settings, around)
        if not directory.exists() and store.place.startswith(f"{directory}/"):
            raise _missing(directory.name, store)  # an engine in this process would make its files
        return cls(directory.name, store, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()

    @property
    def lexical(self) -> NoReturn:
        """There is none without a ledger."""
        raise UsageError(
            "Words are found with the ledger, and that is not on this machine.",
            f"Ask with --mode dense. {self._fetch}",
        )

    def stems(self, text: str) -> list[str]:
        """The terms of a text, as the lexical index would have them."""
        return self._analysis.stems(text)

    @cached_property
    def _analysis(self) -> LexicalIndex:
        return LexicalIndex(Path(), self._language)


class _Ledger:
    """The chunks that searches have met, numbered in the order in which they were met."""

    def __init__(self, facts: dict[str, str], count: int, fetch: str) -> None:
        self._fetch = fetch
        self._built = {
            "model": facts["model"],
            "embedder": facts["embedder"].partition("/")[0],
            "dimension": facts["dimension"],
            "splitter": facts["splitter"],
        }
        self._count = count
        self._chunks: list[StoredChunk] = []
        self._keys: dict[str, int] = {}

    def meta(self, key: str) -> str | None:
        """What the store says of the collection."""
        return json.dumps(self._built) if key == fingerprint.META else None

    def coverage(self) -> Coverage:
        """All that is in a store can be found by its meaning."""
        return Coverage(self._count, self._count)

    def chunks(self, keys: Sequence[int]) -> dict[int, StoredChunk]:
        """The chunks with these numbers."""
        return {key: self._chunks[key - 1] for key in keys}

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> NoReturn:
        """There is nothing that a condition on documents could be looked up in."""
        raise UsageError(
            "Of filters, only page: can do without the ledger, which is not on this machine.",
            f"Leave out the others. {self._fetch}",
        )

    def unknown(self, ids: Sequence[str]) -> list[str]:
        """The ids among these that were not met yet."""
        return [id for id in ids if id not in self._keys]

    def meet(self, records: Sequence[Record]) -> None:
        """Number the chunks of these records."""
        for record in records:
            key = len(self._chunks) + 1
            self._chunks.append(_chunk(key, record))
            self._keys[record.id] = key

    def key(self, id: str) -> int | None:
        """The number of a chunk."""
        return self._keys.get(id)


class _Dense:
    def __init__(self, store: Store, ledger: _Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def search(
        self, vector: np.ndarray, k: int, allowed: Selection | None = None
    ) -> list[tuple[int, float]]:
        """The k nearest chunks: number and cosine, best first; of a selection only its pages count."""
        import numpy as np

        where = Where(pages=allowed.pages) if allowed is not None and allowed.pages else None
        found = self._store.nearest(np.asarray(vector, np.float32).reshape(-1), k, where)
        self._ledger.meet(self._store.fetch(self._ledger.unknown([id for id, _ in found])))
        numbered = ((self._ledger.key(id), score) for id, score in found)
        return [(key, score) for key, score in numbered if key is not None]


def _missing(name: str, store: Store) -> CollectionMissing:
    return CollectionMissing(
        f"There is no collection {name!r} here, and none in {store.place}.",
        "Run: ragcli ingest PATH...",
    )


def _chunk(key: int, record: Record) -> StoredChunk:
    data = record.data
    return StoredChunk(
        key=key,
        id=record.id,
        document=record.document,
        ordinal=int(data.get("ordinal", 0)),
        text=record.text,
        heading=tuple(data.get("heading", ())),
        spans=spans_of(data),
        tokens=int(data.get("tokens", 0)),
        path=str(data.get("path", "")),
        format=str(data.get("format", "text")),
        title=data.get("title"),
        doc_id=data.get("doc_id"),
        page_unit=data.get("page_unit"),
        line_unit=data.get("line_unit", "line"),
        metadata=data.get("metadata", {}),
    )

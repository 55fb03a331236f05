"""A collection: what was ingested under one name. The ledger, its indexes, and the right to write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ragcli.errors import CollectionMissing, StorageError
from ragcli.index import fingerprint
from ragcli.index.database import damaged
from ragcli.index.health import Finding, examine
from ragcli.index.indexes import Indexes
from ragcli.index.ledger import Ledger
from ragcli.index.lock import WriterLock
from ragcli.index.surroundings import Surroundings

if TYPE_CHECKING:
    from ragcli.index.dense import DenseIndex
    from ragcli.index.lexical import LexicalIndex
    from ragcli.index.remote import RemoteIndex
    from ragcli.settings import Settings

LEDGER = "ledger.db"


class Collection:
    """All that was ingested under one name. Close it, or use it in a `with` statement.

    `words` says that it can be searched by words; see `afar` for one that cannot.
    """

    words = True

    def __init__(
        self,
        name: str,
        directory: Path,
        settings: Settings,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.name = name
        self.directory = directory
        self.readonly = not all(
            os.access(path, os.W_OK) for path in (directory, directory / LEDGER)
        )
        self.warnings: list[str] = []
        self.ledger = Ledger(directory / LEDGER, readonly=self.readonly)
        self._lock = WriterLock(directory / "lock", readonly=self.readonly)
        self._indexes = Indexes(
            directory, self.ledger, self._lock, settings, self._warn, surroundings or Surroundings()
        )

    @classmethod
    def open(
        cls,
        data_dir: Path,
        name: str,
        settings: Settings,
        *,
        create: bool = False,
        surroundings: Surroundings | None = None,
    ) -> Collection:
        """Open the collection called `name`, or make it when `create` is set.

        `surroundings` is what a store elsewhere needs.

        Raises CollectionMissing, CollectionDamaged when its ledger is, StorageError.
        """
        directory = data_dir / "collections" / name
        _refuse_lost_ledger(directory)
        if create:
            _make_private(data_dir, directory)
            Ledger(directory / LEDGER).close()
        elif not (directory / LEDGER).exists():
            raise CollectionMissing(
                f"There is no collection {name!r} in {data_dir} yet.", "Run: ragcli ingest PATH..."
            )
        return cls(name, directory, settings, surroundings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all files."""
        self._indexes.close()
        self.ledger.close()

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical index, level with the ledger when it was first asked for."""
        return self._indexes.lexical

    def stems(self, text: str) -> list[str]:
        """The terms of a text, as the lexical index has them."""
        return self.lexical.stems(text)

    @property
    def dense(self) -> DenseIndex | RemoteIndex:
        """The dense index; one on this machine is level with the ledger when first asked for."""
        return self._indexes.dense

    def built_with(self, part: str) -> str | None:
        """A part of the fingerprint: `model`, `embedder`, `dimension` or `splitter`."""
        return fingerprint.stored(self.ledger).get(part)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer; what a crashed one left behind is swept away first.

        Raises CollectionBusy when another process writes, StorageError when this one may not.
        """
        first = not self._lock.held
        self._lock.take()
        try:
            if first:
                self.ledger.discard_staged()
                self.ledger.compact()
                self._indexes.leave_none_ahead()
            yield
        finally:
            self._lock.give_back()

    @property
    def remote(self) -> RemoteIndex:
        """The dense index in the store elsewhere that is configured, apart from `dense`."""
        return self._indexes.new_remote()

    def refresh(self, *, halfway: bool = False) -> None:
        """Bring both indexes level with the ledger; a store elsewhere not while `halfway`.

        Where another process writes, the dense index follows in memory, and the lexical index
        as far as that process has brought it, with a warning.
        """
        self._indexes.refresh(halfway=halfway)

    def repair(self) -> list[str]:
        """Build both indexes anew from the ledger alone, or send it all again; a line for each."""
        with self.writing():
            self._indexes.rebuild()
        return [
            f"Built the lexical index from the ledger: {self.lexical.count()} chunks.",
            f"Built the dense index from the ledger: {self.dense.count()} vectors.",
        ]

    def health(self) -> list[Finding]:
        """For the ledger and each index its state (`ok`, `behind` or `damaged`) and a sentence."""
        return examine(self.ledger, self._indexes)

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)


def _refuse_lost_ledger(directory: Path) -> None:
    """An empty ledger is a new one, unless indexes that were made from it are still there."""
    ledger = directory / LEDGER
    lost = not ledger.exists() or ledger.stat().st_size == 0
    if lost and (directory / "lexical").exists():
        raise damaged(ledger, "it is gone or empty, its indexes are still there")


def _make_private(data_dir: Path, directory: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (data_dir / "collections", directory):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
    except OSError as error:
        raise StorageError(
            f"The folder {directory} cannot be made ({error.strerror}).",
            "Check the permissions, or choose another folder with --data-dir.",
        ) from error

"""A collection: the ledger, the two indexes derived from it, and what keeps them level.

The indexes are opened when they are first asked for. One that is missing, damaged or of another
configuration is built anew from the ledger, in its place when this process may write, else in a
private copy; so a question is never answered from a damaged index, and never refused for one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ragcli.config import plug_options
from ragcli.errors import (
    CollectionBusy,
    CollectionMissing,
    IndexDamaged,
    StorageError,
)
from ragcli.index import fingerprint, segments
from ragcli.index.dense import DenseIndex
from ragcli.index.ledger import Ledger
from ragcli.index.lexical import LexicalIndex
from ragcli.index.lock import WriterLock
from ragcli.registry import load
from ragcli.stores import STORES

if TYPE_CHECKING:
    from ragcli.settings import Settings

LEDGER = "ledger.db"


class Collection:
    """All that was ingested under one name. Close it, or use it in a `with` statement."""

    def __init__(self, name: str, directory: Path, settings: Settings) -> None:
        self.name = name
        self.directory = directory
        self.readonly = not os.access(directory, os.W_OK) or not os.access(
            directory / LEDGER, os.W_OK
        )
        self.warnings: list[str] = []
        self.ledger = Ledger(directory / LEDGER, readonly=self.readonly)
        self._settings = settings
        self._lock = WriterLock(directory / "lock")
        self._lexical: LexicalIndex | None = None
        self._dense: DenseIndex | None = None
        self._private: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def open(
        cls, data_dir: Path, name: str, settings: Settings, *, create: bool = False
    ) -> Collection:
        """Open the collection called `name`, or make it when `create` is set.

        Raises CollectionMissing, CollectionDamaged when its ledger is, StorageError.
        """
        directory = data_dir / "collections" / name
        if create:
            _make_private(data_dir, directory)
            Ledger(directory / LEDGER).close()
        elif not (directory / LEDGER).exists():
            raise CollectionMissing(
                f"There is no collection {name!r} in {data_dir} yet.", "Run: ragcli ingest PATH..."
            )
        return cls(name, directory, settings)

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
        if self._lexical is not None:
            self._lexical.close()
        if self._private is not None:
            self._private.cleanup()
        self.ledger.close()

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical index, level with the ledger when it was first asked for."""
        if self._lexical is None:
            self._lexical = self._open_lexical()
        return self._lexical

    @property
    def dense(self) -> DenseIndex:
        """The dense index, level with the ledger when it was first asked for."""
        if self._dense is None:
            self._dense = self._open_dense()
        return self._dense

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
        umask = os.umask(0o077)
        try:
            if first:
                self.ledger.discard_staged()
                self.ledger.compact()
                self._leave_no_index_ahead()
            yield
        finally:
            os.umask(umask)
            self._lock.give_back()

    def refresh(self) -> None:
        """Bring both indexes level with the ledger.

        Where another process writes, the dense index follows in memory, and the lexical index
        as far as that process has brought it, with a warning.
        """
        if self.lexical.position != self.ledger.position():
            with self._maybe_writing() as mine:
                mine = mine or self._private is not None
                self._lexical = self._follow_lexical(self.lexical, mine)
        self._dense = self._follow_dense(self.dense)

    def repair(self) -> list[str]:
        """Throw both indexes away and build them from the ledger alone; a line for each."""
        with self.writing():
            lexical = self._new_lexical(self.directory / "lexical")
            lexical.rebuild(self.ledger)
            dense = self._new_dense()
            dense.rebuild(self.ledger, self._embedder())
            dense.save()
            self._lexical, self._dense = lexical, dense
        return [
            f"Built the lexical index from the ledger: {lexical.count()} chunks.",
            f"Built the dense index from the ledger: {len(dense.store)} vectors.",
        ]

    def health(self) -> list[tuple[str, str, str]]:
        """For the ledger and each index its state (`ok`, `behind` or `damaged`) and a sentence."""
        found = self.ledger.check()
        coverage = self.ledger.coverage()
        counted = f"{coverage.chunks} chunks, {coverage.embedded} of them embedded"
        ledger = ("ledger", "damaged" if found else "ok", "; ".join(found) or counted)
        return [ledger, self._health_of_lexical(), self._health_of_dense()]

    def _health_of_lexical(self) -> tuple[str, str, str]:
        lexical = self._new_lexical(self.directory / "lexical")
        try:
            lexical.open()
            lexical.verify()
            count, behind = lexical.count(), self.ledger.position() - lexical.position
        except IndexDamaged as error:
            return "lexical index", "damaged", f"{error.message} {error.fix}"
        finally:
            lexical.close()
        return _standing("lexical index", f"{count} chunks", behind)

    def _health_of_dense(self) -> tuple[str, str, str]:
        dense = self._new_dense()
        try:
            dense.open(self._embedder())
        except IndexDamaged as error:
            if self.ledger.coverage().embedded == 0:
                return "dense index", "ok", "nothing is embedded yet"
            return "dense index", "damaged", f"{error.message} {error.fix}"
        behind = self.ledger.position() - dense.position
        lag = 0 if behind <= dense.tolerance() else behind
        return _standing("dense index", f"{len(dense.store)} vectors", lag)

    def _open_lexical(self) -> LexicalIndex:
        lexical = self._new_lexical(self.directory / "lexical")
        with self._maybe_writing() as mine:
            try:
                lexical.open(busy=self._lock.held_elsewhere)
            except IndexDamaged as error:
                return self._build_lexical(lexical, mine, error)
            return self._follow_lexical(lexical, mine)

    def _follow_lexical(self, lexical: LexicalIndex, mine: bool) -> LexicalIndex:
        try:
            if mine:
                lexical.catch_up(self.ledger)
            else:
                lexical.reload()
        except IndexDamaged as error:
            return self._build_lexical(lexical, mine, error)
        if lexical.position < self.ledger.position():
            self._warn("The newest documents are not searched by their words yet.")
        return lexical

    def _build_lexical(
        self, lexical: LexicalIndex, mine: bool, error: IndexDamaged
    ) -> LexicalIndex:
        if mine:
            if lexical.folder.exists():
                self._warn(f"{error.message} It was built anew from the ledger.")
            lexical.rebuild(self.ledger)
            return lexical
        lexical.close()
        self._warn(f"{error.message} It was built anew for this process alone.")
        self._private = self._private or tempfile.TemporaryDirectory(prefix="ragcli-")
        private = self._new_lexical(Path(self._private.name) / "lexical")
        private.rebuild(self.ledger)
        return private

    def _open_dense(self) -> DenseIndex:
        dense = self._new_dense()
        try:
            dense.open(self._embedder())
        except IndexDamaged as error:
            return self._build_dense(dense, error)
        return self._follow_dense(dense)

    def _follow_dense(self, dense: DenseIndex) -> DenseIndex:
        try:
            dense.check(self._embedder())
            dense.catch_up(self.ledger)
        except IndexDamaged as error:
            return self._build_dense(dense, error)
        self._save(dense)
        return dense

    def _build_dense(self, dense: DenseIndex, error: IndexDamaged) -> DenseIndex:
        if dense.store.path.exists() and self.ledger.coverage().embedded:
            self._warn(f"{error.message} It was built anew from the ledger.")
        dense.rebuild(self.ledger, self._embedder())
        self._save(dense)
        return dense

    def _save(self, dense: DenseIndex) -> None:
        if not dense.worth_saving():
            return
        with self._maybe_writing() as mine:
            if mine:
                dense.save()

    def _leave_no_index_ahead(self) -> None:
        """After a ledger was restored from a backup: what follows it must notice before it grows."""
        position = self.ledger.position()
        dense = self._new_dense()
        with suppress(IndexDamaged):
            if dense.store.saved_position() > position:
                dense.store.path.unlink()
        lexical = self.directory / "lexical"
        if segments.stamped_position(lexical) > position:
            (lexical / segments.STAMP).unlink()

    @contextmanager
    def _maybe_writing(self) -> Iterator[bool]:
        """Hold the writer's lock if it is free; whether it is held."""
        if self._lock.held:
            yield True
            return
        try:
            if self.readonly:
                raise StorageError("read-only")
            self._lock.take(patience=0)
        except (CollectionBusy, StorageError):
            yield False
            return
        umask = os.umask(0o077)
        try:
            yield True
        finally:
            os.umask(umask)
            self._lock.give_back()

    def _new_lexical(self, folder: Path) -> LexicalIndex:
        return LexicalIndex(folder, self._settings.lexical.language)

    def _new_dense(self) -> DenseIndex:
        module = load("store", STORES, self._settings.store.use)
        options = plug_options(module, "store", self._settings.store)
        return DenseIndex(module.build(options, self.directory), self.ledger)

    def _embedder(self) -> str:
        return f"{self.built_with('embedder')}/{self.ledger.generation()}"

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)


def _standing(part: str, content: str, behind: int) -> tuple[str, str, str]:
    if behind:
        return part, "behind", f"{content}, {behind} changes behind the ledger"
    return part, "ok", content


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

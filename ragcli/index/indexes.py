"""The two indexes derived from a ledger, and what keeps them level with it.

They are opened when they are first asked for. One that is missing, damaged or of another
configuration is built anew from the ledger: in its place when this process may write, else in a
private copy. So a question is never answered from a damaged index, and never refused for one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.config import plug_options
from ragcli.errors import CollectionBusy, IndexDamaged, StorageError
from ragcli.index import fingerprint, segments
from ragcli.index.dense import DenseIndex
from ragcli.index.elsewhere import configured_store
from ragcli.index.ledger import Ledger
from ragcli.index.lexical import LexicalIndex
from ragcli.index.lock import WriterLock
from ragcli.index.remote import RemoteIndex
from ragcli.index.surroundings import Surroundings
from ragcli.registry import load
from ragcli.stores import EMBEDDED, STORES

if TYPE_CHECKING:
    from ragcli.settings import Settings


class Indexes:
    """The lexical and the dense index of one collection; `warn` hears what a person should know."""

    def __init__(
        self,
        directory: Path,
        ledger: Ledger,
        lock: WriterLock,
        settings: Settings,
        warn: Callable[[str], None],
        surroundings: Surroundings,
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._lock = lock
        self._settings = settings
        self._warn = warn
        self._surroundings = surroundings
        self._lexical: LexicalIndex | None = None
        self._dense: DenseIndex | RemoteIndex | None = None
        self._private: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Let go of all files."""
        if self._lexical is not None:
            self._lexical.close()
        if isinstance(self._dense, RemoteIndex):
            self._dense.close()
        if self._private is not None:
            self._private.cleanup()

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical index, level with the ledger when it was first asked for."""
        if self._lexical is None:
            self._lexical = self._open_lexical()
        return self._lexical

    @property
    def dense(self) -> DenseIndex | RemoteIndex:
        """The dense index; one on this machine is level with the ledger when first asked for."""
        if self._dense is None:
            self._dense = self._open_dense() if self.embedded else self.new_remote()
        return self._dense

    @property
    def embedded(self) -> bool:
        """Whether the vectors are kept on this machine, in a file of the collection."""
        return self._settings.store.use == EMBEDDED

    def refresh(self, *, halfway: bool = False) -> None:
        """Bring both level; the lexical one only as far as another process that writes has come.

        A store elsewhere is written to by a run that was asked to write, and only at its end: a
        store that is down must not stop an embedding that is under way (`halfway`).
        """
        if self.lexical.position != self._ledger.position():
            with self._perhaps_writing() as mine:
                mine = mine or self._private is not None
                self._lexical = self._follow_lexical(self.lexical, mine)
        dense = self.dense
        if isinstance(dense, DenseIndex):
            self._dense = self._follow_dense(dense)
        elif self._lock.asked_for and not halfway:
            dense.catch_up()

    def rebuild(self) -> None:
        """Throw both away and build them from the ledger; only the one writer may call this."""
        lexical = self.new_lexical()
        lexical.rebuild(self._ledger)
        self._lexical = lexical
        if not self.embedded:
            self.new_remote().repair()
            return
        dense = self.new_dense()
        dense.rebuild(self._ledger, self.embedder)
        dense.save()
        self._dense = dense

    def leave_none_ahead(self) -> None:
        """After a ledger was restored from a backup: what follows it must notice before it grows."""
        position = self._ledger.position()
        if self.embedded:
            store = self.new_dense().store
            with suppress(IndexDamaged):
                if store.saved_position() > position:
                    store.path.unlink()
        lexical = self._directory / "lexical"
        if segments.stamped_position(lexical) > position:
            (lexical / segments.STAMP).unlink()

    def new_lexical(self, folder: Path | None = None) -> LexicalIndex:
        """The lexical index as configured, not opened."""
        return LexicalIndex(folder or self._directory / "lexical", self._settings.lexical.language)

    def new_dense(self) -> DenseIndex:
        """The dense index of this machine as configured, not opened."""
        module = load("store", STORES, EMBEDDED)
        options = plug_options(module, "store", self._settings.store)
        return DenseIndex(module.build(options, self._directory), self._ledger)

    def new_remote(self) -> RemoteIndex:
        """The dense index in the store elsewhere that is configured; nothing is sent yet."""
        store = configured_store(self._directory, self._settings, self._surroundings)
        folder = self._directory / "stores"
        return RemoteIndex(store, self._ledger, folder, self._directory.name, self._warn)

    @property
    def embedder(self) -> str:
        """Which vectors belong together: those of one embedder, computed in one go."""
        return f"{fingerprint.stored(self._ledger).get('embedder')}/{self._ledger.generation()}"

    def _open_lexical(self) -> LexicalIndex:
        lexical = self.new_lexical()
        with suppress(IndexDamaged):  # which is looked into below, when no other process can write
            lexical.open(busy=self._lock.held_elsewhere)
            if lexical.position == self._ledger.position():
                return lexical
        with self._perhaps_writing() as mine:
            try:
                lexical.open(busy=not mine and self._lock.held_elsewhere)
            except IndexDamaged as error:
                return self._build_lexical(lexical, mine, error)
            return self._follow_lexical(lexical, mine)

    def _follow_lexical(self, lexical: LexicalIndex, mine: bool) -> LexicalIndex:
        try:
            if mine:
                lexical.catch_up(self._ledger)
            else:
                lexical.reload()
        except IndexDamaged as error:
            return self._build_lexical(lexical, mine, error)
        except StorageError as error:
            self._only_reading(error)
        if lexical.position < self._ledger.position():
            self._warn("The newest documents are not searched by their words yet.")
        return lexical

    def _build_lexical(
        self, lexical: LexicalIndex, mine: bool, error: IndexDamaged
    ) -> LexicalIndex:
        if mine:
            if lexical.folder.exists():
                self._warn(f"{error.message} It was built anew from the ledger.")
            try:
                lexical.rebuild(self._ledger)
            except StorageError as full:
                self._only_reading(full)
            else:
                return lexical
        lexical.close()
        self._warn(f"{error.message} It was built anew for this process alone.")
        self._private = self._private or tempfile.TemporaryDirectory(prefix="ragcli-")
        private = self.new_lexical(Path(self._private.name) / "lexical")
        private.rebuild(self._ledger)
        return private

    def _open_dense(self) -> DenseIndex:
        dense = self.new_dense()
        try:
            dense.open(self.embedder)
        except IndexDamaged as error:
            return self._build_dense(dense, error)
        return self._follow_dense(dense)

    def _follow_dense(self, dense: DenseIndex) -> DenseIndex:
        try:
            dense.check(self.embedder)
            dense.catch_up(self._ledger)
        except IndexDamaged as error:
            return self._build_dense(dense, error)
        self._save(dense)
        return dense

    def _build_dense(self, dense: DenseIndex, error: IndexDamaged) -> DenseIndex:
        if dense.store.path.exists() and self._ledger.coverage().embedded:
            self._warn(f"{error.message} It was built anew from the ledger.")
        dense.rebuild(self._ledger, self.embedder)
        self._save(dense)
        return dense

    def _save(self, dense: DenseIndex) -> None:
        if not dense.worth_saving():
            return
        with self._perhaps_writing() as mine:
            if mine:
                try:
                    dense.save()
                except StorageError as error:
                    self._only_reading(error)

    def _only_reading(self, error: StorageError) -> None:
        """A disk without room fails a run that writes, and only slows one that asks."""
        if self._lock.asked_for:
            raise error
        self._warn(error.message)

    @contextmanager
    def _perhaps_writing(self) -> Iterator[bool]:
        """Hold the writer's lock if it is held or free and this process may write; whether it is."""
        if self._lock.held:
            yield True
            return
        try:
            self._lock.take(patience=0, asked_for=False)
        except (CollectionBusy, StorageError):
            yield False
            return
        try:
            yield True
        finally:
            self._lock.give_back()

"""One writer at a time: an advisory lock on a file of the collection, let go when its process ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from ragcli.errors import CollectionBusy, StorageError

PATIENCE = 3.0
PAUSE = 0.05


class WriterLock:
    """Held by the one process that may write to a collection; counts how often it was taken."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self.asked_for = False
        """Whether the lock is held to write documents, not just to bring an index level."""
        self._readonly = readonly
        self._descriptor = -1
        self._held = 0
        self._umask = 0

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._held > 0

    @property
    def held_elsewhere(self) -> bool:
        """Whether another process holds the lock; answers without the right to write."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return not self.held
        else:
            return False
        finally:
            os.close(descriptor)

    def take(self, *, patience: float = PATIENCE, asked_for: bool = True) -> None:
        """Take the lock, waiting up to `patience` seconds; new files are private while it is held.

        Raises CollectionBusy, which names the process, and StorageError in a read-only folder.
        """
        if self._held == 0:
            self._descriptor = self._open()
            try:
                self._wait(patience)
            except BaseException:
                os.close(self._descriptor)
                raise
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
            self._umask = os.umask(0o077)
            self.asked_for = asked_for
        self._held += 1

    def give_back(self) -> None:
        """Let go, once for each time it was taken."""
        self._held -= 1
        if self._held == 0:
            self.asked_for = False
            os.umask(self._umask)
            os.close(self._descriptor)

    def _open(self) -> int:
        try:
            if self._readonly:
                raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise StorageError(
                f"The collection in {self.path.parent} cannot be written ({error.strerror}).",
                "Check the permissions, or choose another folder with --data-dir.",
            ) from error
        return descriptor

    def _wait(self, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise self._busy() from None
                time.sleep(PAUSE)
            else:
                return

    def _busy(self) -> CollectionBusy:
        holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        return CollectionBusy(
            f"Process {holder} is writing to the collection in {self.path.parent}.",
            "Wait for it to end and run the command again.",
        )

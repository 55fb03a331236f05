"""Writing into the cache so that a crash leaves the old state or the new one, never half of one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragcli.errors import StorageError


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turn a failure to write below the folder into a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The cache folder {folder} cannot be written: {error.strerror or error}.",
            "Make it writable, or free some space.",
        ) from error


def make_folder(folder: Path) -> Path:
    """Create the folder and its parents, readable by their owner only."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_atomic(path: Path, data: bytes) -> None:
    """Write a small file under a temporary name, flush it to the disk, and rename it into place."""
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def publish(staged: Path, target: Path) -> None:
    """Move a finished folder to its place, flushed to the disk; what lay there is replaced."""
    for path in staged.iterdir():
        path.chmod(0o600)
        _flush(path)
    _flush(staged)
    shutil.rmtree(target, ignore_errors=True)
    staged.rename(target)
    _flush(target.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file, across processes; waits for whoever holds it."""
    make_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

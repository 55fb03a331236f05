"""Writes files that a person named: a place that cannot be written is one sentence."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from ragcli.errors import StorageError, UsageError


def check_place(path: Path) -> None:
    """Raise StorageError where a file cannot be written, before the work for it is done."""
    folder = path.parent
    try:
        if path.is_dir():
            why = os.strerror(errno.EISDIR)
        elif not folder.is_dir():
            why = f"there is no folder {folder}"
        elif not os.access(path if path.exists() else folder, os.W_OK):
            why = os.strerror(errno.EACCES)
        else:
            return
    except OSError as error:
        raise _unwritable(path, error.strerror) from error
    raise _unwritable(path, why)


def check_new(path: Path) -> None:
    """Raise UsageError where there is such a file already, StorageError where none can be written."""
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already.", "Choose another name with --out.")
    check_place(path)


def write_text(path: Path, text: str) -> None:
    """Write the text, replacing what lay there; raises StorageError."""
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise _unwritable(path, error.strerror) from error


def write_new(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a new file, for the eyes of its owner; raises as `check_new` does."""
    check_new(path)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise _unwritable(path, error.strerror) from error


def _unwritable(path: Path, why: str | None) -> StorageError:
    return StorageError(f"{path} cannot be written: {why}.", "Choose another place for it.")

"""A file that proves itself: a header, a payload, and the CRC-32 of both at the end.

Written beside its final name, synced and then renamed, so that a crash leaves the old file or
the new one. Knows nothing of what the payload means.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ragcli.errors import IndexDamaged, StorageError

MAGIC = b"ragcli-vectors-1"
TAIL = struct.Struct("<QI")
BLOCK = 1 << 20


class _Summing:
    """A writer that keeps the CRC and the length of what passes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.crc = 0
        self.length = 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self.crc = zlib.crc32(data, self.crc)
        self.length += len(data)
        return len(data)


def write(
    path: Path, fields: dict[str, Any], payload: Callable[[Callable[[bytes], int]], None]
) -> None:
    """Write a file whose payload is what `payload` passes to the function it is given.

    Raises StorageError when the disk is full or not writable; the old file is then still there.
    """
    temporary = path.with_name(f"{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            summing = _Summing(file)
            head = json.dumps(fields).encode()
            summing.write(MAGIC + struct.pack("<I", len(head)) + head)
            payload(summing.write)
            file.write(TAIL.pack(summing.length, summing.crc))
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(
            f"The vector index {path} cannot be written ({error.strerror or error}).",
            "Free some space or check the permissions, then run the command again.",
        ) from error


@contextmanager
def read(path: Path) -> Iterator[tuple[dict[str, Any], BinaryIO]]:
    """The header, and a file that stands at the payload, after the whole of it was checked.

    Raises IndexDamaged when the file is missing or is not what was written.
    """
    with _open(path) as file:
        if not _sound(file):
            raise unsound(f"{path.name} is not what was written")
        yield _header(file), file


def header(path: Path) -> dict[str, Any]:
    """The header alone, unchecked; raises IndexDamaged when there is none."""
    with _open(path) as file:
        try:
            return _header(file)
        except (ValueError, struct.error) as error:
            raise unsound(f"{path.name} is not what was written") from error


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise unsound(f"{path.name} cannot be read ({error.strerror})") from error


def _header(file: BinaryIO) -> dict[str, Any]:
    file.seek(len(MAGIC))
    (length,) = struct.unpack("<I", file.read(4))
    found: dict[str, Any] = json.loads(file.read(length))
    return found


def unsound(reason: str) -> IndexDamaged:
    """The error that leads to the index being built anew."""
    return IndexDamaged(f"The vector index is not usable: {reason}.", "Run: ragcli doctor --repair")


def _sound(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    if size < len(MAGIC) + 4 + TAIL.size:
        return False
    file.seek(size - TAIL.size)
    length, expected = TAIL.unpack(file.read(TAIL.size))
    if length != size - TAIL.size:
        return False
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        return False
    left, crc = length - len(MAGIC), zlib.crc32(MAGIC)
    while left and (block := file.read(min(BLOCK, left))):
        crc = zlib.crc32(block, crc)
        left -= len(block)
    return bool(crc == expected)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

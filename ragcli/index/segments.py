"""Whether the files of a lexical index are those that were written; knows nothing of terms.

tantivy ends every segment file with its CRC-32. Reading all of it at each start would be slow,
so a stamp keeps the size and time of each file as they were when the index was last known to
be sound; only where the stamp differs is the content read.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

from ragcli.errors import IndexDamaged

STAMP = "stamp.json"
META = "meta.json"
MAGIC = 1337
PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
BLOCK = 1 << 20


def write_stamp(folder: Path, analysis: str, position: int, *, clean: bool) -> None:
    """Say what the files of an index are now; not `clean` while a writer is at work."""
    stamp = {"analysis": analysis, "position": position, "clean": clean}
    if clean:
        stamp |= _seen(folder)
    temporary = folder / f"{STAMP}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(stamp, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / STAMP)


def check_stamp(folder: Path, analysis: str, *, busy: bool) -> bool:
    """Whether the files are as the stamp says; False after a crash, when `verify` must tell.

    While another process writes (`busy`) nothing can be said of the files. Raises IndexDamaged
    when they are not as they should be, or when the index analyses text in another way.
    """
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
        written, clean = stamp["analysis"], stamp["clean"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unsound("it does not say what it holds") from error
    if written != analysis:
        raise unsound(f"it was written for {written}, not for {analysis}")
    if busy:
        return True
    if not clean:
        return False
    seen = _seen(folder)
    if stamp.get("meta") != seen["meta"]:
        raise unsound(f"{META} has changed")
    return bool(stamp.get("files") == seen["files"])


def stamped_position(folder: Path) -> int:
    """The ledger position that the index has reached at least; 0 if it does not say."""
    try:
        return int(json.loads((folder / STAMP).read_bytes())["position"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def verify(folder: Path) -> None:
    """Read every file of the index; raises IndexDamaged when one is not what was written."""
    for name in segment_files(folder):
        _verify_file(folder / name)


def segment_files(folder: Path) -> list[str]:
    """The names of the files that the last commit consists of."""
    try:
        segments = json.loads((folder / META).read_bytes())["segments"]
        wanted = [name for segment in segments for name in _names(segment)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unsound(f"{META} cannot be read") from error
    there = {path.name for path in folder.iterdir()}
    for name in wanted:
        if name not in there:
            raise unsound(f"{name} is missing")
    return wanted


def unsound(reason: str) -> IndexDamaged:
    """The error that leads to the index being built anew."""
    return IndexDamaged(
        f"The lexical index is not usable: {reason}.", "Run: ragcli doctor --repair"
    )


def _names(segment: dict[str, Any]) -> list[str]:
    stem = segment["segment_id"].replace("-", "")
    names = [f"{stem}.{part}" for part in PARTS]
    if segment["deletes"]:
        names.append(f"{stem}.{segment['deletes']['opstamp']}.del")
    return names


def _seen(folder: Path) -> dict[str, Any]:
    files = {}
    for name in segment_files(folder):
        stat = (folder / name).stat()
        files[name] = [stat.st_size, stat.st_mtime_ns]
    return {"meta": zlib.crc32((folder / META).read_bytes()), "files": files}


def _verify_file(path: Path) -> None:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 8, 0))
        tail = file.read(8)
        length, magic = struct.unpack("<II", tail) if len(tail) == 8 else (0, 0)
        if magic != MAGIC or length + 8 > size:
            raise unsound(f"{path.name} has no end")
        file.seek(size - 8 - length)
        try:
            expected = json.loads(file.read(length))["crc"]
        except (ValueError, KeyError, TypeError) as error:
            raise unsound(f"{path.name} has no checksum") from error
        file.seek(0)
        left, crc = size - 8 - length, 0
        while left and (block := file.read(min(BLOCK, left))):
            crc = zlib.crc32(block, crc)
            left -= len(block)
    if crc != expected:
        raise unsound(f"{path.name} is not what was written")

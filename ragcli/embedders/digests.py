"""Digests of large files, computed once: remembered by path, size, inode and time of change."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from ragcli.embedders.files import write_atomic


def file_digest(path: Path, cache: Path) -> str:
    """sha256 (hex) of the file; `cache` is the folder that remembers it between runs."""
    stat = path.stat()
    identity = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    real = str(path.resolve())
    note = cache / "digests" / f"{hashlib.sha256(real.encode()).hexdigest()[:32]}.json"
    known = _recall(note)
    if known.get("path") == real and known.get("identity") == identity:
        return str(known["sha256"])
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    entry = {"path": real, "identity": identity, "sha256": digest}
    # Only a memory: where it cannot be written, the next run computes the digest again.
    with contextlib.suppress(OSError):
        write_atomic(note, json.dumps(entry).encode())
    return digest


def _recall(note: Path) -> dict[str, object]:
    try:
        known = json.loads(note.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}

"""The SHA-256 of a file's bytes, read without ever waiting on anything that is not a regular file."""

from __future__ import annotations

import hashlib
import os
import stat


def digest_of(path: str) -> str | None:
    """The digest (hex) of a file, or None where it cannot be read or changes meanwhile."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb", buffering=0) as file:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            return None
        try:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        after = os.fstat(handle)
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return digest if same else None

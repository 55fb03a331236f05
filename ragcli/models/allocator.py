"""How children that run torch on a processor hold their memory, where the allocator is glibc's."""

from __future__ import annotations

import ctypes
import os

STEADY_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""For the environment of a child: glibc otherwise returns its memory at each step."""


def give_back() -> None:
    """Return what is held unused to the system: of itself glibc keeps each hole below a live block.

    Does nothing where the allocator is another.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim:
        trim(0)

"""Memory between steps: what is held unused goes back to the system."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from ragcli.models.allocator import STEADY_MEMORY

HOLES = """
from ragcli.models.allocator import give_back

def held():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

blocks, small = [], []
for _ in range(100):
    blocks.append(bytearray(b"x" * 2_000_000))
    small.append(bytearray(10_000))
full = held()
del blocks
kept = held()
give_back()
print(full, kept, held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_what_is_unused_is_given_back_although_blocks_above_it_live() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOLES],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **STEADY_MEMORY},
    )
    full, kept, after = map(int, done.stdout.split())
    assert full - kept < 20_000, "the holes are kept without it"
    assert full - after > 150_000

"""How much memory a training has held, and how much it may still take: of the machine, its container, a GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ragcli.documents.limits import peak_mb

ROOT = Path("/")
SECOND = ("memory.max", "memory.current", "inactive_file")
FIRST = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""The files of a control group, by version: its limit, its use, and which line of it can be had back."""


def peak(device: str = "cpu") -> int:
    """The most bytes that this process has held so far, on the GPU where it computes there."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    return int(peak_mb() * 1e6)


def available(device: str = "cpu", root: Path = ROOT) -> int | None:
    """Bytes that new memory may take where the model is; None where the system does not say."""
    if device == "cuda":
        import torch

        # What torch holds in reserve counts as taken there.
        reserve = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return int(torch.cuda.mem_get_info()[0] + reserve)
    return min((*_machine(root), *_groups(root)), default=None)


def _machine(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable"):
            yield int(line.split()[1]) * 1024


def _groups(root: Path) -> Iterator[int]:
    """What the control groups that this process is in leave: each of them, and each around it."""
    mounts = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            base, files = mounts, SECOND
        elif "memory" in controllers.split(","):
            base, files = mounts / "memory", FIRST
        else:
            continue
        # In a container the path may be that of the host: then the mount itself is the group.
        inner = Path(os.path.normpath(f"/{path}"))
        for part in (inner, *inner.parents):
            yield from _left(base / str(part).lstrip("/"), *files)


def _left(group: Path, limit: str, used: str, spare: str) -> Iterator[int]:
    try:
        # A limit that is no number is none.
        most, taken = (int((group / name).read_text(encoding="ascii")) for name in (limit, used))
    except (OSError, ValueError):
        return
    found = [
        line.split()[1] for line in _lines(group / "memory.stat") if line.startswith(f"{spare} ")
    ]
    yield max(0, most - taken + sum(map(int, found)))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []

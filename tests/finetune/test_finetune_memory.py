"""Memory: what is held unused goes back to the system between steps, and how much there is of it."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ragcli.documents import limits
from ragcli.finetune.memory import available, peak
from ragcli.models.allocator import STEADY_MEMORY

GB = 10**9

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


def machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    """A file system that says 20 GB are free, which groups a process is in, and what these allow."""
    told = {
        "proc/meminfo": f"MemTotal: 1 kB\nMemAvailable: {20 * GB // 1024} kB\n",
        "proc/self/cgroup": groups,
        **{f"sys/fs/cgroup/{name}": text for name, text in files.items()},
    }
    for name, text in told.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def second(group: str, limit: str, used: int, spare: int = 0) -> dict[str, str]:
    """The files of a group in the second version."""
    stat = f"anon 5\ninactive_file {spare}\nactive_file 7\n"
    texts = {"max": limit, "current": str(used), "stat": stat}
    return {f"{group}/memory.{name}": text for name, text in texts.items()}


def test_what_is_free_is_what_the_container_leaves(tmp_path: Path) -> None:
    in_use, limit = 3 * GB, 8 * GB
    inside = second("", str(limit), in_use)
    assert available(root=machine(tmp_path / "inside", "0::/\n", inside)) == limit - in_use
    # Files that were read lately make room when they must.
    cached = second("a", str(limit), in_use, GB)
    assert available(root=machine(tmp_path / "cached", "0::/a\n", cached)) == limit - in_use + GB
    around = {**second("a/b", "max", in_use), **second("a", str(limit), in_use)}
    assert available(root=machine(tmp_path / "around", "0::/a/b\n", around)) == limit - in_use
    beyond = second("", str(limit), in_use)
    group = "0::/../kubepods/pod1\n"
    assert available(root=machine(tmp_path / "beyond", group, beyond)) == limit - in_use
    full = second("", str(limit), limit + 1)
    assert available(root=machine(tmp_path / "full", "0::/\n", full)) == 0


def test_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    groups = "9:name=systemd:/\n4:hugetlb,memory:/docker/1\n1:cpu:/\n0::/\n"
    files = {
        "memory/docker/1/memory.limit_in_bytes": str(6 * GB),
        "memory/docker/1/memory.usage_in_bytes": str(2 * GB),
        "memory/docker/1/memory.stat": f"inactive_file 1\ntotal_inactive_file {GB}\n",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": str(9 * GB),
    }
    assert available(root=machine(tmp_path, groups, files)) == 5 * GB


def test_without_a_limit_it_is_what_the_machine_has(tmp_path: Path) -> None:
    free = 20 * GB // 1024 * 1024
    assert available(root=machine(tmp_path / "none", "0::/\n", {})) == free
    unbound = second("", "max", GB)
    assert available(root=machine(tmp_path / "max", "0::/\n", unbound)) == free
    assert available(root=tmp_path / "elsewhere") is None


def test_on_a_gpu_its_own_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(
        mem_get_info=lambda: (7 * GB, 80 * GB),
        memory_reserved=lambda: 3 * GB,
        memory_allocated=lambda: 2 * GB,
        max_memory_allocated=lambda: 2 * GB,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert available("cuda") == 8 * GB
    assert peak("cuda") == 2 * GB


@pytest.mark.parametrize(("system", "unit"), [("darwin", 1), ("linux", 1024)])
def test_each_system_has_its_own_unit_for_the_peak(
    system: str, unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "held_mb", lambda process: 0)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=4_000_000))
    assert peak() == 4_000_000 * unit

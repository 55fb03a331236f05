"""Runs a command as a user would and reports its wall time and the peak memory of its process tree."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """What a finished command printed, took and needed; memory in MB, summed over the tree."""

    stdout: str
    stderr: str
    code: int
    seconds: float
    peak_mb: float


def ragcli(*arguments: str) -> list[str]:
    """The command line of the program under test, in this interpreter's environment."""
    return [sys.executable, "-m", "ragcli", *arguments]


def run(
    command: Sequence[str], *, home: Path, allowed: Sequence[int] = (0,), watch: bool = False
) -> Run:
    """Run a command with its own home; `watch` polls the memory of the tree.

    Raises RuntimeError with the end of stderr when the exit code is not allowed.
    """
    home.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(home)
    )
    peak = _watch(child) if watch else 0.0
    stdout, stderr = child.communicate()
    seconds = time.perf_counter() - started
    if child.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command)} exited {child.returncode}:\n{stderr[-2000:]}")
    return Run(stdout, stderr, child.returncode, seconds, peak)


def _environment(home: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_CACHE_HOME": os.environ.get("BENCHMARK_CACHE", str(home / "cache")),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "False",
    }


def _watch(child: subprocess.Popen[str]) -> float:
    # communicate() would block, so the outputs of a watched command must stay small.
    peak = 0.0
    while child.poll() is None:
        peak = max(peak, _tree_mb(child.pid))
        time.sleep(POLL_SECONDS)
    return peak


def _tree_mb(root: int) -> float:
    parents: dict[int, int] = {}
    memory: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                status = Path(f"/proc/{entry.name}/status").read_text(encoding="utf-8")
            except OSError:
                continue
            fields = dict(line.split(":\t", 1) for line in status.split("\n") if ":\t" in line)
            parents[int(entry.name)] = int(fields["PPid"])
            memory[int(entry.name)] = int(fields.get("VmRSS", "0 kB").split()[0])
    return sum(kb for pid, kb in memory.items() if _below(pid, root, parents)) / 1024


def _below(pid: int, root: int, parents: Mapping[int, int]) -> bool:
    while pid > 1:
        if pid == root:
            return True
        pid = parents.get(pid, 0)
    return False

"""What a parsing child may not do: live on without its parent, grow, run, write, connect, start programs.

Runs inside the child, but for `held_mb`. The parent's clock and kill stand behind all of it, so a limit that a
platform does not know is left out.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 64
_REFUSED = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
)
"""Beginnings of the names of audit events, as the `sys.audit` table of the standard library has them."""


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent goes; leave at once where it has gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def confine(memory_mb: int) -> None:
    """Bound memory beyond what is mapped now, open files, file writes and core files; refuse the rest."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_AS, _mapped() + memory_mb * 1_000_000)
    sys.addaudithook(_refuse)


def grant_cpu(seconds: float) -> None:
    """Let this process compute for so many seconds from now on, whatever it used before."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + 2
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def peak_mb() -> float:
    """The most memory that this process held at once, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    # Not ru_maxrss where it can be helped: on Linux that begins with the size of the parent.
    return held_mb("self") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def held_mb(process: int | str) -> float:
    """The most memory that a running process held at once, in MB; 0 where the platform does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    kilobytes = status.partition("VmHWM:")[2].split()[:1]
    return int(kilobytes[0]) * 1024 / 1e6 if kilobytes else 0


def _mapped() -> int:
    """Bytes of address space in use."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return int(peak_mb() * 1e6)
    return pages * resource.getpagesize()


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    try:
        resource.setrlimit(kind, (most, most))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(f"a parser may not do this: {event}")

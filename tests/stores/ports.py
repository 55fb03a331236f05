"""Ports of this machine: one that is free, and the wait until somebody answers at it."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import Any


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def wait_for(port: int, child: subprocess.Popen[Any]) -> None:
    """Until somebody answers at a port; fails when the child ends before."""
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert child.poll() is None, "the server ended"
        time.sleep(0.1)
    raise AssertionError("the server did not answer")

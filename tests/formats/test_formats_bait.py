"""Readers take linear time on what careless ones choke on: a child does it all in bounded CPU time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BAIT = Path(__file__).with_name("bait.py")


def test_no_reader_is_quadratic() -> None:
    # About 8 s of processor time are used; one quadratic reader takes minutes on one bait.
    child = subprocess.run(
        [sys.executable, BAIT, "90"], capture_output=True, text=True, check=False
    )
    assert child.stdout == "all read\n", child.stderr

"""A training child that is killed: what its parent says, before torch is even loaded."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ragcli.errors import ModelError
from ragcli.finetune import training
from ragcli.finetune.order import Order


def children() -> list[int]:
    """The child processes of this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(state[1]) == os.getpid() and b"ragcli.finetune.child" in command:
            found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_a_killed_training_is_not_taken_for_one_without_memory(
    number: signal.Signals, tmp_path: Path
) -> None:
    def kill() -> None:
        while not (found := children()):
            time.sleep(0.01)
        os.kill(found[0], number)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    order = Order("m", "", str(tmp_path), "", "", "mnrl")
    with pytest.raises(ModelError, match=rf"ended unexpectedly \({number.name}\): it said nothing"):
        training.run(order, lambda said: None)
    killer.join()

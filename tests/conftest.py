"""What tests of several folders share: one small chat model, trained once for all processes of a run."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "llms"))

# A shell ignores SIGINT for what it starts in the background, perhaps these very tests.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model of `tinychat.py`; the first test process trains it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "chat-model"
    root.mkdir(exist_ok=True)
    folder = root / "tinychat"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            script = Path(__file__).with_name("llms") / "tinychat.py"
            done = subprocess.run(
                [sys.executable, str(script), str(folder)],
                capture_output=True,
                text=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "HOME": str(root)},
            )
            assert done.returncode == 0, done.stderr[-3000:]
            (root / "done").touch()
    return folder

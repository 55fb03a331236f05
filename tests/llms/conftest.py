"""What the tests of models on this machine share."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, chat_model: Path) -> Path:
    """The folder that `workbench.py` filled; the first test process fills it, the others wait."""
    root = chat_model.parent / "bench"
    root.mkdir(exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "expected.json").exists():
            script = Path(__file__).with_name("workbench.py")
            done = subprocess.run(
                [sys.executable, str(script), str(chat_model), str(root)],
                capture_output=True,
                text=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "HOME": str(root)},
            )
            assert done.returncode == 0, done.stderr[-3000:]
    return root


@pytest.fixture(scope="session")
def told(bench: Path) -> dict[str, list[dict[str, Any]]]:
    """What the child replied to each order of `workbench.py`."""
    replies: dict[str, list[dict[str, Any]]] = json.loads((bench / "told.json").read_text())
    return replies

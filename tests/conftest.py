"""What tests of several folders share: one small chat model, trained once and kept for later runs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "llms"))

# A shell ignores SIGINT for what it starts in the background, perhaps these very tests.
signal.signal(signal.SIGINT, signal.default_int_handler)


ROOT = Path(__file__).parents[1]
LLMS = ROOT / "tests" / "llms"


@pytest.fixture(scope="session")
def chat_model(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run with the model of `tinychat.py`; the first process that needs it makes it."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "chat-model"
    root.mkdir(exist_ok=True)
    folder = root / "tinychat"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.copytree(_trained(pytestconfig.rootpath / ".pytest_cache"), folder)
    return folder


def _trained(cache: Path) -> Path:
    """The model as it was trained by the very code and libraries that are here now."""
    sources = [LLMS / "tinychat.py", ROOT / "ragcli" / "answer" / "prompts.py"]
    made_by = [*(path.read_bytes() for path in sources)]
    made_by += [version(name).encode() for name in ("torch", "transformers", "tokenizers")]
    key = hashlib.sha256(b"\0".join(made_by)).hexdigest()[:16]
    folder = cache / "chat-models" / key
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            done = subprocess.run(
                [sys.executable, str(LLMS / "tinychat.py"), f"{scratch}/model"],
                capture_output=True,
                text=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "HOME": scratch},
            )
            assert done.returncode == 0, done.stderr[-3000:]
            # Whole or not at all; another run may have been faster.
            with contextlib.suppress(OSError):
                Path(scratch, "model").rename(folder)
    return folder

"""Embedding leaves torch out of the process and nothing in the home of its user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from ragcli.embedders import build
from ragcli.settings import Embedder
embedder = build(Embedder(model=sys.argv[1], backend="onnx"), Path(sys.argv[2]), offline=True)
embedder.embed_query("How high is the tide?")
embedder.embed_documents(["one", "two"])
heavy = {"torch", "transformers", "sentence_transformers", "scipy", "sklearn", "httpx", "onnx"}
print(sorted(heavy & set(sys.modules)))
"""


def test_no_torch_and_nothing_at_home(workshop: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    switches = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}
    inherited = {name: value for name, value in os.environ.items() if name not in switches}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(workshop / "models" / "bert"), str(workshop / "cache")],
        capture_output=True,
        text=True,
        env={**inherited, "HOME": str(home)},
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert done.stderr == ""
    assert list(home.iterdir()) == []

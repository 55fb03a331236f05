"""How tests call the program: the shape of the call, and a clean environment for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKSHOP = ROOT / "examples" / "workshop"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(home: Path, cache: Path) -> dict[str, str]:
    """A clean environment below `home`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(cache),
        "HF_HUB_OFFLINE": "1",
    }

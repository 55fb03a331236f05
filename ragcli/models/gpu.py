"""Whether there is a CUDA GPU that the installed torch can use, asked without importing torch."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from pathlib import Path


def gpu_trouble() -> str | None:
    """None when a CUDA GPU can be used, else the reason why not."""
    if not _driver_sees_one():
        return "there is no CUDA GPU"
    if not _torch_has_cuda():
        return "the installed torch is built without CUDA"
    return None


def _driver_sees_one() -> bool:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return False
    return count.value > 0


def _torch_has_cuda() -> bool:
    """Read from the file in which a torch build names its CUDA version."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return False
    version = Path(spec.submodule_search_locations[0]) / "version.py"
    return bool(re.search(r"^cuda\b[^=\n]*= *['\"]", version.read_text(), re.MULTILINE))

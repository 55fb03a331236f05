"""Describes the machine a figure was measured on, and writes results as JSON and Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("ragcli", "faiss-cpu", "langchain-core", "numpy", "onnxruntime", "tantivy", "torch")
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8")


def describe(packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """Processor, cores, memory, system and versions; nothing that names the machine or its user."""
    flags = set(_cpuinfo("flags").split())
    return {
        "date": date.today().isoformat(),
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "features": [flag for flag in FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
    }


def sentence(machine: Mapping[str, Any]) -> str:
    """The machine in one line of prose."""
    features = f" ({', '.join(machine['features'])})" if machine["features"] else ""
    return (
        f"Measured on {machine['date']}: {machine['cores']} cores of {machine['processor']}{features}, "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}."
    )


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; floats with three significant decimals."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def save(name: str, figures: Mapping[str, Any], markdown: str, folder: Path = RESULTS) -> Path:
    """Write `name.json` (figures and machine) and `name.md` (the same for people)."""
    machine = describe()
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, **figures}, indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    page = folder / f"{name}.md"
    page.write_text(f"{markdown.rstrip()}\n\n{sentence(machine)}\n", encoding="utf-8")
    return page


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

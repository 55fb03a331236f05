"""Keeps converted models in the cache: converts in a child, once, and checks what is there.

`<cache>/onnx/<fingerprint>/<precision>/` holds `model.onnx` and `manifest.json`, which names the
size and sha256 of the model; whatever does not match is converted again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.embedders.files import locked, make_folder, publish, storing
from ragcli.embedders.onnx import MODEL
from ragcli.errors import ModelError

VERSION = 5
"""Raised when the conversion changes, so that older exports are made anew."""


@dataclass(frozen=True, slots=True)
class Source:
    """A model to convert: its name and folder, the module whose child converts it, what to do if it can't."""

    model: str
    folder: Path
    exporter: str = "ragcli.embedders.export"
    fix: str = "Set embedder.backend to torch, or choose another embedder.model."


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted model, checked: its bytes, and what its manifest says about it."""

    data: bytes
    manifest: dict[str, Any]


def converted(
    source: Source, fingerprint: str, precision: str, cache: Path, say: Callable[[str], None]
) -> Converted:
    """The model as ONNX, from the cache or converted now.

    Raises ModelError when the model cannot be converted, StorageError when the cache cannot be
    written.
    """
    place = place_of(cache, fingerprint, precision)
    found = load_checked(place)
    if found is None:
        with storing(place.parent), locked(place.parent / f"{precision}.lock"):
            found = load_checked(place) or _convert(source, precision, place, say)
    fallback = found.manifest.get("int8")
    if fallback:
        say(
            f"{source.model} is computed in fp32: its int8 form strays from the original "
            f"({fallback['strays']})."
        )
    return found


def place_of(cache: Path, fingerprint: str, precision: str) -> Path:
    """The folder of a conversion."""
    return cache / "onnx" / fingerprint / precision


def load_checked(place: Path) -> Converted | None:
    """The conversion that lies there, or None when it is absent, damaged or not of this machine."""
    try:
        manifest = json.loads((place / "manifest.json").read_bytes())
        data = (place / MODEL).read_bytes()
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("made") != _made():
        return None
    if manifest.get("size") != len(data):
        return None
    if manifest.get("sha256") != hashlib.sha256(data).hexdigest():
        return None
    return Converted(data, manifest)


def _made() -> list[str]:
    """What a conversion was checked on; with another arithmetic or runtime it is checked anew."""
    try:
        vnni = "vnni" if "vnni" in Path("/proc/cpuinfo").read_text() else ""
    except OSError:
        vnni = ""
    return [str(VERSION), platform.machine(), vnni, importlib.metadata.version("onnxruntime")]


def _convert(source: Source, precision: str, place: Path, say: Callable[[str], None]) -> Converted:
    say(f"Preparing {source.model} for this machine, once; this takes some seconds.")
    with staging(place) as staged:
        return keep(staged, place, _run_child(source, staged, precision))


@contextmanager
def staging(place: Path) -> Iterator[Path]:
    """A folder beside `place` to write into, gone afterwards unless it was kept.

    Its user holds the lock of the place, so what others left there is of no use to anyone.
    """
    make_folder(place.parent)
    prefix = f".staged-{place.name}-"
    for left in place.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    staged = Path(tempfile.mkdtemp(prefix=prefix, dir=place.parent))
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def keep(staged: Path, place: Path, report: dict[str, Any]) -> Converted:
    """Publish a staged conversion with its manifest, all at once."""
    data = (staged / MODEL).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    manifest = {"made": _made(), "size": len(data), "sha256": digest, **report}
    (staged / "manifest.json").write_text(json.dumps(manifest, indent=1))
    publish(staged, place)
    return Converted(data, manifest)


def _run_child(source: Source, staged: Path, precision: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", source.exporter]
    arguments = [source.model, str(source.folder), str(staged), precision]
    done = subprocess.run(
        [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode != 0 or not lines:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        why = said[-1] if done.returncode > 0 else f"its process died of signal {-done.returncode}"
        raise ModelError(f"The model {source.model} could not be converted: {why}.", source.fix)
    report: dict[str, Any] = json.loads(lines[-1])
    if "disk" in report:
        raise OSError(report["disk"])
    if "error" in report:
        raise ModelError(report["error"], report["fix"])
    return report

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.embedders.card import Card
from ragcli.embedders.files import locked, make_folder, publish
from ragcli.errors import ModelError

VERSION = 2
"""Raised when the conversion changes, so that older exports are made anew."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted model, checked: its bytes, and what its manifest says about it."""

    data: bytes
    manifest: dict[str, Any]


def converted(
    card: Card, fingerprint: str, precision: str, cache: Path, say: Callable[[str], None]
) -> Converted:
    """The model as ONNX, from the cache or converted now.

    Raises ModelError when the model cannot be converted, StorageError when the cache cannot be
    written.
    """
    place = cache / "onnx" / fingerprint / precision
    found = _load(place)
    if found is None:
        with locked(place.parent / f"{precision}.lock"):
            found = _load(place) or _convert(card, precision, place, say)
    fallback = found.manifest.get("int8")
    if fallback:
        say(
            f"{card.model} is computed in fp32: its int8 form strays from the original "
            f"(cosine {fallback['cosine_min']:.3f})."
        )
    return found


def _load(place: Path) -> Converted | None:
    try:
        manifest = json.loads((place / "manifest.json").read_bytes())
        data = (place / "model.onnx").read_bytes()
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


def _convert(card: Card, precision: str, place: Path, say: Callable[[str], None]) -> Converted:
    say(f"Preparing {card.model} for this machine, once; this takes some seconds.")
    make_folder(place.parent)
    staged = Path(tempfile.mkdtemp(prefix=".staged-", dir=place.parent))
    try:
        report = _run_child(card, staged, precision)
        data = (staged / "model.onnx").read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        manifest = {"made": _made(), "size": len(data), "sha256": digest, **report}
        (staged / "manifest.json").write_text(json.dumps(manifest, indent=1))
        publish(staged, place)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Converted(data, manifest)


def _run_child(card: Card, staged: Path, precision: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "ragcli.embedders.export"]
    arguments = [card.model, str(card.folder), str(staged), precision]
    done = subprocess.run(
        [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode != 0 or not lines:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise ModelError(
            f"The model {card.model} could not be converted: {last}.",
            "Set embedder.backend to torch, or choose another embedder.model.",
        )
    report: dict[str, Any] = json.loads(lines[-1])
    if "error" in report:
        raise ModelError(report["error"], report["fix"])
    return report

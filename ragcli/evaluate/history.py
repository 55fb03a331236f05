"""Remembers evaluations beside their collection: JSON lines in `evaluations.jsonl`, oldest first.

Holds figures and the names of parts, no questions and no text of documents.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

FILE = "evaluations.jsonl"


def remember(folder: Path, facts: dict[str, Any], side: str | None = None) -> None:
    """Add one evaluation, as its JSON form; raises OSError where the folder cannot be written.

    `side` is what stood for it where it was one of two that were compared.
    """
    record = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **({"side": side} if side else {}),
        "set": {name: facts["set"][name] for name in ("name", "digest", "questions")},
        **{name: facts[name] for name in ("embedder", "store", "llm", "top_k", "chunks", "mode")},
        "modes": {name: found["measures"] for name, found in facts["modes"].items()},
        "answers": facts["answers"] and facts["answers"]["measures"],
    }
    line = json.dumps(record, ensure_ascii=True) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(folder / FILE, flags, 0o600)
    try:
        # A line that a full disk cut short must not swallow the one after it.
        size = os.fstat(handle).st_size
        whole = not size or _last_byte(folder / FILE) == b"\n"
        os.write(handle, (line if whole else "\n" + line).encode())
    finally:
        os.close(handle)


def remembered(folder: Path) -> list[dict[str, Any]]:
    """The evaluations of a collection, oldest first; lines that are no record are left out."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and {"time", "set", "mode", "modes"} <= record.keys():
            found.append(record)
    return found


def way(record: dict[str, Any]) -> str:
    """How a remembered evaluation searched: the mode, and the side of a comparison that says more."""
    mode, side = str(record["mode"]), record.get("side")
    return f"{mode} ({side})" if side and side != mode else mode


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)

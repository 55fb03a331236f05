"""Writes files that a person named: a place that cannot be written is one sentence."""

from __future__ import annotations

from pathlib import Path

from ragcli.errors import StorageError


def write_text(path: Path, text: str) -> None:
    """Write the text, replacing what lay there; raises StorageError."""
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}.", "Choose another place for it."
        ) from error

"""Two versions of a folder for faults.py: files stay, change, come, go, move and are copied."""

from __future__ import annotations

import os
import random
from pathlib import Path

WORDS = """
harbour tide delta sand river lantern copper wire winter orchard ledger bridge granite the of and
falcon meadow signal anchor velvet thunder quarry compass linen amber ridge willow
""".split()  # noqa: SIM905
LONG = 2600
"""Paragraphs of one file that takes several transactions to bring in."""


def text_of(name: str, version: int, paragraphs: int) -> str:
    """The same text for the same name and version, on any machine."""
    chance = random.Random(f"{name} {version}")
    parts = (" ".join(chance.choices(WORDS, k=60)) + "." for _ in range(paragraphs))
    return f"# {name} {version}\n\n" + "\n\n".join(parts) + "\n"


def write(folder: Path, name: str, version: int, paragraphs: int) -> None:
    """Write a file with a time of change that tells its version."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(name, version, paragraphs), encoding="utf-8")
    os.utime(path, (10**9 + version, 10**9 + version))


def first(folder: Path, files: int = 36, paragraphs: int = 6) -> None:
    """The folder as it was."""
    write(folder, "long.md", 1, LONG)
    for number in range(files):
        write(folder, f"{number % 5}/{number:02}.md", 1, paragraphs)


def second(folder: Path, files: int = 36, paragraphs: int = 6) -> None:
    """The folder as it is now: the first one must be there."""
    write(folder, "long.md", 2, LONG)
    for number in range(0, files, 3):
        write(folder, f"{number % 5}/{number:02}.md", 2, paragraphs)
    for number in range(1, files, 9):
        (folder / f"{number % 5}/{number:02}.md").unlink()
    for number in range(2, files, 9):
        (folder / f"{number % 5}/{number:02}.md").rename(folder / f"moved-{number:02}.md")
    for number in range(files // 4):
        write(folder, f"new/{number:02}.md", 1, paragraphs)
        write(folder, f"copies/{number:02}.md", 1, paragraphs)
        (folder / f"copies/{number:02}.md").write_text(text_of("copy", 1, paragraphs))

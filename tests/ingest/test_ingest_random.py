"""After any sequence of changes a collection holds exactly what a clean run over the folder gives."""

from __future__ import annotations

import os
import random
import shutil

import pytest
from desk import Desk

TEXTS = [
    "alpha beta",
    "gamma delta",
    "# Title\n\nepsilon",
    "zeta\n\neta\n",
    "",
    " \n",
    "\x7fELF\0\1",
]
NAMES = ["a.md", "b.txt", "c.html", "sub/d.md", "sub/e.txt", "sub/deep/f.md", ".g.md", "h.png"]


def change(desk: Desk, chance: random.Random) -> None:
    """Do one thing that people do to files."""
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    kind = chance.choice(["write", "write", "write", "delete", "move", "copy", "touch", "ignore"])
    if kind == "write" or not files:
        fresh = f"{chance.choice(TEXTS)} {chance.randint(0, 3)}" * (chance.random() < 0.8)
        desk.write(chance.choice(NAMES), fresh or chance.choice(TEXTS))
        return
    path, target = chance.choice(files), desk.folder / chance.choice(NAMES)
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind == "delete":
        path.unlink()
    elif kind == "move":
        path.rename(target)
    elif kind == "copy" and path != target:
        shutil.copy2(path, target)
    elif kind == "touch":
        os.utime(path, ns=(chance.randint(1, 10**18), chance.randint(1, 10**18)))
    elif kind == "ignore":
        (desk.folder / ".ragignore").write_text(chance.choice(["*.txt\n", "sub/\n", "!a.md\n"]))


def paths_seen(desk: Desk) -> int:
    """Files and skipped folders, counted in another way: every rule but the ignored folder skips files."""
    ignore = desk.folder / ".ragignore"
    whole = ignore.exists() and ignore.read_text() == "sub/\n" and (desk.folder / "sub").is_dir()
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    inside = [path for path in files if "sub" in path.relative_to(desk.folder).parts]
    return len(files) - len(inside) + 1 if whole else len(files)


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_changes_ends_like_a_clean_run(seed: int, desk: Desk) -> None:
    chance = random.Random(seed)
    desk.write("anchor.md", "the folder is never empty")
    for _ in range(5):
        for _ in range(chance.randint(1, 5)):
            change(desk, chance)
        told = desk.ingest(dry_run=True)
        report = desk.ingest()
        assert report.seen == told.seen == paths_seen(desk)
        assert (report.moved, report.deleted) == (told.moved, told.deleted)
    clean = desk.ingest(name="clean")
    assert desk.content() == desk.content("clean")
    assert (report.skipped, report.failed) == (clean.skipped, clean.failed)
    settled = desk.ingest()
    assert settled.unchanged == clean.added

"""Which paths the .gitignore and .ragignore files of a folder leave out, by git's rules.

The last matching pattern of the nearest file decides; .ragignore outranks the .gitignore beside
it. Files above a folder count up to the top of its repository. A folder left out is never walked,
so nothing in it can be taken back by a pattern; that is the walk's part, see scan.py.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragcli.ingest.glob import Glob, compile_glob

NAMES = (".gitignore", ".ragignore")
MAX_BYTES = 256 * 1024
"""A larger file of patterns is not read, and said: matching it would take long on every path."""


@dataclass(slots=True)
class Rules:
    """The patterns of one folder, in order; later ones outrank earlier ones."""

    folder: bytes
    wild: list[tuple[int, Glob, bool]] = field(default_factory=list)
    names: dict[bytes, list[tuple[int, Glob, bool]]] = field(default_factory=dict)
    count: int = 0

    def add(self, text: bytes) -> None:
        """Append the patterns of a file's text."""
        for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
            self._add_line(_trim(line.removesuffix(b"\r")))

    def _add_line(self, line: bytes) -> None:
        negative = line.startswith(b"!")
        glob = None if line.startswith(b"#") else compile_glob(line[negative:])
        if glob is None:
            return
        self.count += 1
        entry = (self.count, glob, not negative)
        if glob.in_name and glob.rest is None:
            self.names.setdefault(glob.literal, []).append(entry)
        else:
            self.wild.append(entry)

    def verdict(self, path: bytes, is_folder: bool) -> bool | None:
        """True to leave `path` out, False to take it back, None where no pattern speaks of it."""
        relative = path[len(self.folder) + (self.folder != b"/") :]
        named, verdict = 0, None
        for order, glob, ignores in self.names.get(relative.rsplit(b"/", 1)[-1], ()):
            if is_folder or not glob.folders_only:
                named, verdict = order, ignores
        for order, glob, ignores in reversed(self.wild):
            if order < named:
                break
            if (is_folder or not glob.folders_only) and glob.matches(relative):
                return ignores
        return verdict


def ignored(stack: Sequence[Rules], path: bytes, is_folder: bool) -> bool:
    """Whether the rules from the outermost to the innermost folder leave `path` out."""
    for rules in reversed(stack):
        verdict = rules.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def load(folder: str, names: Iterable[str], warnings: list[str]) -> Rules | None:
    """The rules that stand in `folder`, of the files in `names` that are there."""
    rules = Rules(os.fsencode(folder))
    for name in NAMES:
        if name in names:
            rules.add(_read(Path(folder, name), warnings))
    return rules if rules.count else None


def load_above(folder: str, warnings: list[str]) -> list[Rules]:
    """The rules above `folder`, outermost first, where it lies in a git repository."""
    parents = Path(folder).parents
    top = next((at for at, parent in enumerate(parents) if (parent / ".git").exists()), None)
    if top is None or (Path(folder) / ".git").exists():
        return []
    found = (load(str(parent), _present(parent), warnings) for parent in parents[top::-1])
    return [rules for rules in found if rules]


def _present(folder: Path) -> list[str]:
    return [name for name in NAMES if os.path.lexists(folder / name)]


def _read(path: Path, warnings: list[str]) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        warnings.append(f"The rules of {path} do not count: {error.strerror}.")
        return b""
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            warnings.append(f"The rules of {path} do not count: it is not a regular file.")
            return b""
        text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        warnings.append(f"The rules of {path} do not count: it is larger than {MAX_BYTES} bytes.")
        return b""
    return text


def _trim(line: bytes) -> bytes:
    """Drop trailing spaces, but not one that a backslash protects."""
    bare = line.rstrip(b" ")
    escapes = len(bare) - len(bare.rstrip(b"\\"))
    return line[: len(bare) + 1] if escapes % 2 and len(line) > len(bare) else bare

"""Walks files and folders and says of each path whether it is to be read, and why not.

Opens nothing but files of rules, follows no link, and takes one stat a file. The order is that of
the names' bytes, so that it is the same everywhere. Knows nothing of what a collection holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from ragcli.ingest.glob import Glob, compile_glob
from ragcli.ingest.ignore import Rules, ignored, load, load_above
from ragcli.ingest.names import OWN_FOLDERS, is_junk, is_key, printable, without_text

MB = 1_000_000
NO_PERMISSION = "no permission"
NOT_UTF8 = "its name is not UTF-8"


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read; `path` and `root` are absolute, without links, and valid UTF-8."""

    path: str
    root: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or a whole folder that is not read. `keep`: what is known of it stays in the collection."""

    path: str
    reason: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Which files are wanted. Globs are those of .gitignore, relative to the folder given."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore: bool = True
    hidden: bool = False
    max_bytes: int = 512 * MB
    own: tuple[str, ...] = ()
    """Folders that ragcli itself writes to, wherever they lie."""


class Scan:
    """A walk over roots, each an absolute path without links. Iterate it once.

    A path is seen once however the roots overlap. A root is taken even where it is hidden or
    ignored, because a person named it; a key file is read with `hidden` only, however it came.
    """

    def __init__(self, roots: Iterable[str], rulebook: Rulebook) -> None:
        self.warnings: list[str] = []
        self.empty: set[str] = set()
        """Roots that are folders with nothing in them: perhaps a disk that is not mounted."""
        self._roots = frozenset(roots)
        self._rulebook = rulebook
        self._include = _globs(rulebook.include)
        self._exclude = _globs(rulebook.exclude)
        self._visited: set[str] = set()

    def __iter__(self) -> Iterator[Found | Skipped]:
        for root in sorted(self._roots, key=os.fsencode):
            if root in self._visited:
                continue
            try:
                status = os.lstat(root)
            except OSError as error:
                yield _unreadable(root, error)
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._walk(root)
            else:
                yield self._file(root, root, status)

    def _walk(self, root: str) -> Iterator[Found | Skipped]:
        above = load_above(root, self.warnings) if self._rulebook.ignore else []
        todo = [(root, above)]
        while todo:
            folder, stack = todo.pop()
            if folder in self._visited:
                continue
            self._visited.add(folder)
            try:
                with os.scandir(folder) as listing:
                    entries = {entry.name: entry for entry in listing}
            except FileNotFoundError:
                continue
            except OSError as error:
                yield _unreadable(folder + os.sep, error)
                continue
            if folder == root and not entries:
                self.empty.add(root)
            inner = self._rules(folder, entries, stack)
            below = yield from self._folder(entries, root, inner)
            todo.extend((path, inner) for path in reversed(below))

    def _rules(self, folder: str, names: Iterable[str], stack: list[Rules]) -> list[Rules]:
        rules = load(folder, names, self.warnings) if self._rulebook.ignore else None
        return [*stack, rules] if rules else stack

    def _folder(
        self, entries: dict[str, os.DirEntry[str]], root: str, stack: list[Rules]
    ) -> Generator[Found | Skipped, None, list[str]]:
        """Yields what lies in a folder, and returns the folders in it to walk into."""
        if "pyvenv.cfg" in entries and self._rulebook.ignore:
            folder = os.path.dirname(entries["pyvenv.cfg"].path)  # noqa: PTH120
            yield Skipped(printable(folder) + os.sep, "a virtual environment")
            return []
        below: list[str] = []
        for name in sorted(entries, key=os.fsencode):
            item = self._entry(entries[name], root, stack)
            if isinstance(item, str):
                below.append(item)
            elif item is not None:
                yield item
        return below

    def _entry(
        self, entry: os.DirEntry[str], root: str, stack: list[Rules]
    ) -> Found | Skipped | str | None:
        """What becomes of an entry of a folder: a folder to walk into is its path."""
        path = entry.path
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if path not in self._roots:
                reason, keep = self._reason(entry, root, stack, is_folder)
                if reason:
                    return Skipped(printable(path) + os.sep * is_folder, reason, keep)
            if is_folder:
                return path
            if path in self._visited:
                return None
            return self._file(path, root, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            return None
        except OSError as error:
            return _unreadable(path, error)

    def _reason(
        self, entry: os.DirEntry[str], root: str, stack: list[Rules], is_folder: bool
    ) -> tuple[str, bool]:
        """Why an entry is left out before it is looked at, and whether its known text stays."""
        name, path, rulebook = entry.name, entry.path, self._rulebook
        if path in rulebook.own or name in OWN_FOLDERS:
            return "the data of ragcli" if path in rulebook.own else "a folder of a tool", False
        if entry.is_symlink():
            return "a symbolic link", False
        if not path.isascii() and printable(path) != path:
            return NOT_UTF8, False
        if is_folder and rulebook.ignore and is_junk(name):
            return "a folder of a tool", False
        if name.startswith(".") and not rulebook.hidden:
            return "hidden", False
        if stack and ignored(stack, os.fsencode(path), is_folder):
            return "ignored", False
        return self._narrowed(path, root, is_folder), True

    def _narrowed(self, path: str, root: str, is_folder: bool) -> str:
        """Why the globs of this run leave an entry out; they narrow a run and remove nothing."""
        if not self._exclude and not self._include:
            return ""
        relative = os.fsencode(path)[len(os.fsencode(root)) + (root != os.sep) :]
        for glob in self._exclude:
            if (is_folder or not glob.folders_only) and glob.matches(relative):
                return "excluded"
        wanted = is_folder or not self._include
        return (
            ""
            if wanted or any(glob.matches(relative) for glob in self._include)
            else "not included"
        )

    def _file(self, path: str, root: str, status: os.stat_result) -> Found | Skipped:
        self._visited.add(path)
        reason = self._refused(path, status)
        if reason:
            return Skipped(printable(path), reason, keep=reason == NO_PERMISSION)
        return Found(path, root, status.st_size, status.st_mtime_ns)

    def _refused(self, path: str, status: os.stat_result) -> str:
        """Why a file is not read, from its name and its status, or nothing."""
        name = os.path.basename(path)  # noqa: PTH119
        if not stat.S_ISREG(status.st_mode):
            return _kind(status.st_mode)
        if kind := without_text(name):
            return f"{kind}, no text"
        if is_key(name) and not self._rulebook.hidden:
            return "perhaps a key or a password"
        if not path.isascii() and printable(path) != path:
            return NOT_UTF8
        if status.st_size == 0:
            return "empty"
        if status.st_size > self._rulebook.max_bytes:
            return f"larger than {self._rulebook.max_bytes // MB} MB"
        return "" if os.access(path, os.R_OK) else NO_PERMISSION


def _globs(patterns: Iterable[str]) -> list[Glob]:
    compiled = (compile_glob(os.fsencode(pattern)) for pattern in patterns)
    return [glob for glob in compiled if glob]


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a symbolic link" if stat.S_ISLNK(mode) else "a device"


def _unreadable(path: str, error: OSError) -> Skipped:
    denied = isinstance(error, PermissionError)
    reason = NO_PERMISSION if denied else (error.strerror or "unreadable").lower()
    return Skipped(printable(path), reason, keep=True)

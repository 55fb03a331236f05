"""Which paths a run covers: those given, or every one ingested before. Looks at paths, not in them.

A path that is not there is a mistake, unless the collection knows it as a part of something that
is still there. A whole root that has vanished is never taken for deleted: a disk that is not
mounted looks the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.index.ledger import Ledger


@dataclass(slots=True)
class Roots:
    """Absolute paths without links. `walk` is what to look at, `scope` what is brought level."""

    walk: list[str] = field(default_factory=list)
    scope: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Roots of the collection that were deleted, to be forgotten."""
    missing: list[tuple[str, str]] = field(default_factory=list)
    """Roots that cannot be looked at, each with a sentence; what is known of them stays."""

    def covers(self, path: str) -> bool:
        """Whether a path is to be brought level by this run."""
        return any(path == root or _inside(path, root) for root in self.scope)


def resolve(given: Sequence[Path], ledger: Ledger) -> Roots:
    """The paths that this run covers. Raises UsageError for a path that does not exist."""
    known = ledger.roots()
    if not given:
        return _all(known, ledger)
    roots = Roots()
    for path in given:
        real = os.path.realpath(path)
        roots.scope.append(real)
        if os.path.lexists(real):
            roots.walk.append(real)
        elif next(ledger.files(real), None) is None or not _deleted(real, known, ledger):
            raise _no_such(path, real, ledger)
    # What a person named once is read although the folder around it hides or ignores it.
    inside = [root for root in known if root not in roots.scope and roots.covers(root)]
    roots.walk += [root for root in inside if os.path.lexists(root)]
    roots.gone = [root for root in known if roots.covers(root) and not os.path.lexists(root)]
    return roots


def _all(known: list[str], ledger: Ledger) -> Roots:
    if not known:
        raise UsageError("Nothing was ingested before.", "Name a folder: ragcli ingest PATH")
    roots = Roots()
    for root in known:
        if os.path.lexists(root):
            roots.walk.append(root)
            roots.scope.append(root)
        elif _deleted(root, known, ledger):
            roots.gone.append(root)
            roots.scope.append(root)
        else:
            roots.missing.append((root, f"It is missing; to forget it: ragcli rm {root}"))
    return roots


def _deleted(path: str, known: Sequence[str], ledger: Ledger) -> bool:
    """Whether a path that is not there was a part of something that is."""
    around = any(_inside(path, root) and _has_entries(root) for root in known)
    return around or (ledger.file(path) is not None and _has_entries(os.path.dirname(path)))  # noqa: PTH120


def _no_such(path: Path, real: str, ledger: Ledger) -> UsageError:
    if next(ledger.files(real), None) is not None:
        return UsageError(
            f"{path} is missing, and with it the folder that its documents came from.",
            f"Bring it back, or remove its documents: ragcli rm {path}",
        )
    return UsageError(f"{path} does not exist.", "Check the path; nothing was ingested.")


def _inside(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)


def _has_entries(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False

"""Looks at everything a run covers and compares it with the ledger. Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from ragcli.formats import FORMATS
from ragcli.index.rows import FileRow
from ragcli.ingest.plan import Known, Plan, plan
from ragcli.ingest.report import Progress
from ragcli.ingest.roots import Roots
from ragcli.ingest.scan import NO_PERMISSION, Found, Rulebook, Scan, Skipped
from ragcli.registry import load
from ragcli.settings import Ingest

UNREAD = ""
"""The format of a file that no reader reads; the ledger keeps it as failed, the report as skipped."""


@dataclass(slots=True)
class Survey:
    """A plan, and what stays outside of it."""

    plan: Plan
    skipped: list[Skipped] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Roots that cannot be trusted to be there, each with a sentence."""
    warnings: list[str] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)
    """The bytes of documents that lie in no file, by name."""
    kept: set[str] = field(default_factory=set)
    """Paths that this run does not look into; what is known at or below them stays."""


def outcome(row: FileRow) -> str:
    """What became of a file: `ready`, `failed`, or `skipped` where no reader reads its kind."""
    return "skipped" if row.state == "failed" and row.format == UNREAD else row.state


@cache
def identity(name: str) -> str:
    """Reader and version, such as `pdf/1`; of an unread file, the readers that there are."""
    if name == UNREAD:
        return f"none/{len(FORMATS)}"
    if name not in FORMATS:
        return ""
    return f"{name}/{load('format', FORMATS, name).VERSION}"


def attempt(name: str, limits: Ingest) -> str:
    """The identity of a reader that failed within these limits: others are worth another attempt."""
    return f"{identity(name)} {limits.timeout_s:g}s {limits.memory_mb}MB"


def is_current(row: FileRow, limits: Ingest) -> bool:
    """Whether reading the same bytes again would give what the row stands for."""
    if row.state == "failed":
        return row.parser == attempt(row.format, limits)
    return row.parser == identity(row.format)


def survey(
    rows: Mapping[str, FileRow],
    roots: Roots,
    rulebook: Rulebook,
    limits: Ingest,
    progress: Progress,
    *,
    prune: bool,
    force: bool,
) -> Survey:
    """Walk the roots and plan. With `prune`, known files that are gone from them are to leave.

    `rows` is what the ledger knows, by path.
    """
    scan = Scan(roots.walk, rulebook)
    found, skipped = _scanned(scan, progress)
    unsure = [*_unsure(scan.empty, rows), *_locked(skipped, roots)]
    skipped = [item for item in skipped if (item.path, item.reason) not in unsure]
    kept = {item.path.rstrip(os.sep) for item in skipped if item.keep}
    kept.update(path.rstrip(os.sep) for path, _ in unsure)
    gone = list(_gone(found, rows, roots, kept)) if prune else []
    decided = plan(found, Known(rows, lambda row: is_current(row, limits)), gone, force=force)
    return Survey(decided, skipped, [*roots.missing, *unsure], scan.warnings, kept=kept)


def _scanned(scan: Scan, progress: Progress) -> tuple[list[Found], list[Skipped]]:
    found: list[Found] = []
    skipped: list[Skipped] = []
    progress.phase("Scanning", None)
    for item in scan:
        if isinstance(item, Found):
            found.append(item)
        else:
            skipped.append(item)
        progress.advance()
    return found, skipped


def _unsure(empty: set[str], rows: Mapping[str, FileRow]) -> Iterator[tuple[str, str]]:
    """Roots with nothing in them that files came from: perhaps a disk that is not mounted."""
    for root in sorted(empty):
        count = sum(path.startswith(root + os.sep) for path in rows)
        if count:
            reason = f"It is empty, and {count} known files were in it"
            yield root, f"{reason}; if they are to go: ragcli rm {root}"


def _locked(skipped: list[Skipped], roots: Roots) -> Iterator[tuple[str, str]]:
    """Roots that may not be read: what a person named is a failure, not something to pass over."""
    for item in skipped:
        if item.reason == NO_PERMISSION and item.path.rstrip(os.sep) in roots.walk:
            yield item.path, item.reason


def _gone(
    found: list[Found], rows: Mapping[str, FileRow], roots: Roots, kept: set[str]
) -> Iterator[FileRow]:
    here = {item.path for item in found}
    for path, row in rows.items():
        if path not in here and roots.covers(path) and not under(path, kept):
            yield row


def under(path: str, folders: set[str]) -> bool:
    """Whether a path is one of these or lies in one of them."""
    while folders and path:
        if path in folders:
            return True
        path = path.rpartition(os.sep)[0]
    return False

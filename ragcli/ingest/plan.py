"""Compares what a scan found with what the ledger knows, and says what to do. Changes nothing.

A file with the size and time it had is not opened. One of the same size and another time is
compared by its digest, and so is a new file that is as large as one that is known: it may have
been moved or copied. Everything else is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ragcli.formats.sniff import suffix_of
from ragcli.index.rows import FileRow
from ragcli.ingest.digest import digest_of
from ragcli.ingest.scan import Found

Kind = tuple[str, str]
"""Digest and suffix: files that agree in both are read by the same reader to the same text."""


@dataclass(slots=True)
class Plan:
    """What to do with each file. Every file found is in exactly one of all fields but `gone`."""

    unchanged: int = 0
    touched: list[tuple[FileRow, Found]] = field(default_factory=list)
    """The same bytes, written at another time; ready, or failed as before."""
    failed: list[FileRow] = field(default_factory=list)
    """Failed before, and has not changed."""
    moved: list[tuple[FileRow, Found]] = field(default_factory=list)
    copied: list[tuple[FileRow, Found]] = field(default_factory=list)
    read: list[tuple[Found, FileRow | None]] = field(default_factory=list)
    twins: list[tuple[Found, Found]] = field(default_factory=list)
    """New files with the bytes of another one that is read first."""
    gone: list[FileRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows, and how this version would read it."""

    rows: Mapping[str, FileRow]
    is_current: Callable[[FileRow], bool]
    """Whether reading the same bytes again would give what the row stands for."""


def plan(
    found: Sequence[Found], known: Known, gone: Iterable[FileRow], *, force: bool = False
) -> Plan:
    """Decide for every file found; `gone` are the rows whose files are to leave.

    With `force` everything is read. The order of `found` is kept.
    """
    result = Plan(gone=list(gone))
    new: list[Found] = []
    for item in found:
        row = known.rows.get(item.path)
        if force:
            result.read.append((item, row))
        elif row is None:
            new.append(item)
        else:
            _compare(item, row, known, result)
    _recognise(new, known, result)
    return result


def _compare(item: Found, row: FileRow, known: Known, result: Plan) -> None:
    if row.size != item.size or not known.is_current(row):
        result.read.append((item, row))
    elif row.mtime_ns == item.mtime_ns:
        if row.state == "failed":
            result.failed.append(row)
        else:
            result.unchanged += 1
    elif row.digest and row.digest == digest_of(item.path):
        result.touched.append((row, item))
    else:
        result.read.append((item, row))


def _recognise(new: list[Found], known: Known, result: Plan) -> None:
    """Tell the new files that were moved, copied or are there twice from those to read."""
    if not new:
        return
    usable = [row for row in known.rows.values() if row.state == "ready" and known.is_current(row)]
    present = {_kind(row): row for row in usable}
    leaving = {row.path for row in result.gone}
    movable = {_kind(row): row for row in usable if row.path in leaving}
    sizes = _sizes(usable, new)
    first: dict[Kind, Found] = {}
    for item in new:
        digest = digest_of(item.path) if sizes[item.size] > 1 else None
        kind = (digest or item.path, suffix_of(item.path))
        if kind in movable:
            row = movable.pop(kind)
            result.moved.append((row, item))
            present[kind] = row
        elif kind in present:
            result.copied.append((present[kind], item))
        elif kind in first:
            result.twins.append((item, first[kind]))
        else:
            first[kind] = item
            result.read.append((item, None))
    moved = {row.path for row, _ in result.moved}
    result.gone = [row for row in result.gone if row.path not in moved]


def _sizes(rows: Iterable[FileRow], new: Iterable[Found]) -> dict[int, int]:
    """How many files have each size; a size known to the ledger counts at once as shared."""
    sizes = {row.size: 2 for row in rows}
    for item in new:
        sizes[item.size] = sizes.get(item.size, 0) + 1
    return sizes


def _kind(row: FileRow) -> Kind:
    return row.digest, suffix_of(row.path)

"""Carries out a plan: first what needs no reading, then the files to read, then their twins."""

from __future__ import annotations

import os

from ragcli.documents.parse import ParserPool, Source
from ragcli.documents.split import SplitterOptions
from ragcli.index.collection import Collection
from ragcli.index.ledger import Ledger
from ragcli.index.rows import FileRow
from ragcli.ingest.plan import Plan
from ragcli.ingest.read import Reader, Task, facts, settled
from ragcli.ingest.report import IngestReport, Progress
from ragcli.ingest.roots import Roots
from ragcli.ingest.scan import Found
from ragcli.ingest.survey import UNREAD, Survey
from ragcli.settings import Ingest

MOST_JOBS = 4


def foretell(survey: Survey, report: IngestReport) -> None:
    """Report what carrying out would do, as far as can be told without reading."""
    plan = survey.plan
    _known_already(survey, report)
    for row, _ in plan.touched:
        _same(row, report)
    report.moved = len(plan.moved)
    report.updated = sum(known is not None for _, known in plan.read)
    report.added = len(plan.read) - report.updated + len(plan.copied) + len(plan.twins)
    report.deleted = len(plan.gone)


def carry_out(
    collection: Collection,
    roots: Roots,
    survey: Survey,
    limits: Ingest,
    options: SplitterOptions,
    report: IngestReport,
    progress: Progress,
) -> None:
    """Do all that the survey found to be done but embed; the lexical index follows as it goes."""
    _known_already(survey, report)
    skipped = {item.path for item in survey.skipped}
    with collection.ledger.together():
        _keep_roots(collection.ledger, roots, skipped)
        _without_reading(collection.ledger, survey.plan, report)
    if not survey.plan.read:
        return
    reader = Reader(collection.ledger, limits, report, progress, survey.data)
    progress.phase("Reading", len(survey.plan.read) + len(survey.plan.twins))
    with _pool(limits, options) as pool:
        _read(collection, survey.plan, reader, pool)


def _read(collection: Collection, plan: Plan, reader: Reader, pool: ParserPool) -> None:
    def follow() -> None:
        collection.lexical.catch_up(collection.ledger)

    reader.read(plan.read, pool, follow)
    with collection.ledger.together():
        apart: list[Task] = [
            (twin, None) for twin, first in plan.twins if not reader.copy(first, twin)
        ]
    if apart:
        reader.read(apart, pool, follow)


def _known_already(survey: Survey, report: IngestReport) -> None:
    report.unchanged = survey.plan.unchanged
    report.skipped += [(item.path, item.reason) for item in survey.skipped]
    report.failed += survey.failed
    report.warnings += survey.warnings
    for row in survey.plan.failed:
        _same(row, report)


def _same(row: FileRow, report: IngestReport) -> None:
    """Report a file with the bytes that it had."""
    if row.state == "ready":
        report.unchanged += 1
    elif row.format == UNREAD:
        report.skipped.append((row.path, row.error or ""))
    else:
        report.failed.append((row.path, row.error or ""))


def _keep_roots(ledger: Ledger, roots: Roots, skipped: set[str]) -> None:
    for root in roots.walk:
        if root not in skipped:
            ledger.add_root(root)
    for root in roots.gone:
        ledger.remove_root(root)


def _without_reading(ledger: Ledger, plan: Plan, report: IngestReport) -> None:
    for row, found in plan.touched:
        ledger.touch(row.id, found.size, settled(found.mtime_ns))
        _same(row, report)
    for row, found in plan.moved:
        ledger.move(row.id, facts(found, _known(row, found)))
        report.moved += 1
    for row, found in plan.copied:
        ledger.copy(facts(found, _known(row, found)), row.id)
        report.added += 1
    ledger.remove([row.id for row in plan.gone])
    report.deleted += len(plan.gone)


def _known(row: FileRow, found: Found) -> Source:
    return Source(row.digest, found.size, found.mtime_ns, row.format, row.parser)


def _pool(limits: Ingest, options: SplitterOptions) -> ParserPool:
    return ParserPool(
        options,
        jobs=limits.jobs or min(os.cpu_count() or 1, MOST_JOBS),
        timeout_s=limits.timeout_s,
        memory_mb=limits.memory_mb,
        text_mb=limits.max_text_mb,
        file_mb=limits.max_file_mb,
    )

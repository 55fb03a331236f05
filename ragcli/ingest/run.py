"""One run of `ingest`: scan, plan, read, publish, embed. Never prints; says all in its report.

First every text is read and can be searched by its words, then what has no vector is embedded.
Each file and each batch of vectors is committed for itself, so a run may be stopped or killed at
any point: what was committed stays, and the next run goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragcli.documents.split import SplitterOptions
from ragcli.embedders.info import EmbedderInfo
from ragcli.index import fingerprint
from ragcli.index.collection import Collection
from ragcli.ingest import rebuild
from ragcli.ingest.carry import carry_out, foretell
from ragcli.ingest.embed import Encoder, embed
from ragcli.ingest.report import IngestReport, Progress
from ragcli.ingest.roots import Roots, resolve
from ragcli.ingest.scan import MB, Rulebook
from ragcli.ingest.stdin import add_stdin
from ragcli.ingest.survey import Survey, survey
from ragcli.settings import Ingest, Settings


def ingest(
    collection: Collection,
    paths: Sequence[Path],
    settings: Settings,
    *,
    embedder_info: EmbedderInfo,
    build_embedder: Callable[[], Encoder],
    progress: Progress,
    prune: bool = True,
    force: bool = False,
    dry_run: bool = False,
    stdin: tuple[str, bytes] | None = None,
) -> IngestReport:
    """Bring a collection level with paths, or with every root ingested before where none is given.

    `stdin` is the name and the bytes of a document that lies in no file. `build_embedder` is
    called only when there is something to embed. With `dry_run` nothing is written, and a file
    that would turn out unreadable counts as one to be added. An interrupt ends the run early and
    is said in the report.

    Raises UsageError for a path that does not exist, FingerprintMismatch when the collection was
    built with another embedder or splitter and `force` is not set, CollectionBusy, StorageError.
    """
    started = time.monotonic()
    report = IngestReport()
    options = rebuild.splitter_options(settings.splitter, embedder_info)
    current = rebuild.current_fingerprint(embedder_info, options)
    job = _Job(paths, stdin, settings.ingest, current, prune, force)
    try:
        if dry_run:
            foretell(_look(collection, job, progress)[1], report)
        else:
            with collection.writing():
                _bring_level(collection, job, options, report, progress)
                embed(collection, build_embedder, progress)
                collection.refresh()
    except KeyboardInterrupt:
        report.interrupted = True
    coverage = collection.ledger.coverage()
    report.chunks, report.embedded = coverage.chunks, coverage.embedded
    report.warnings += collection.warnings
    report.seconds = time.monotonic() - started
    return report


@dataclass(frozen=True, slots=True)
class _Job:
    paths: Sequence[Path]
    stdin: tuple[str, bytes] | None
    limits: Ingest
    fingerprint: dict[str, str]
    prune: bool
    force: bool


def _bring_level(
    collection: Collection,
    job: _Job,
    options: SplitterOptions,
    report: IngestReport,
    progress: Progress,
) -> None:
    roots, found, anew = _look(collection, job, progress)
    if anew:
        rebuild.check_all_is_read(collection.ledger, found)
        rebuild.empty(collection.ledger)
    fingerprint.adopt(collection.ledger, job.fingerprint)
    carry_out(collection, roots, found, job.limits, options, report, progress)


def _look(collection: Collection, job: _Job, progress: Progress) -> tuple[Roots, Survey, bool]:
    """Look at all that the job covers, and whether all is to be built anew. Writes nothing."""
    ledger, paths, limits = collection.ledger, job.paths, job.limits
    anew = rebuild.must_rebuild(ledger, job.fingerprint, force=job.force)
    if anew:
        paths = rebuild.every_root(paths, ledger, prune=job.prune)
    roots = resolve(paths, ledger) if paths or job.stdin is None else Roots()
    rows = {row.path: row for row in ledger.files()}
    book = _rulebook(limits, collection)
    found = survey(rows, roots, book, limits, progress, prune=job.prune, force=job.force)
    if job.stdin is not None:
        add_stdin(found, job.stdin, rows, limits, force=job.force)
    return roots, found, anew


def _rulebook(limits: Ingest, collection: Collection) -> Rulebook:
    return Rulebook(
        include=tuple(limits.include),
        exclude=tuple(limits.exclude),
        ignore=limits.ignore,
        hidden=limits.hidden,
        max_bytes=limits.max_file_mb * MB,
        own=tuple(str(folder) for folder in collection.directory.resolve().parents[:2]),
    )

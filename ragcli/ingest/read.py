"""Brings files into the ledger: what the parsing children send is staged, then published at once.

A version of a file is either there as a whole or not at all. Reads no file itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ragcli.documents.parse import ParseRequest, ParseResult, ParserPool, Source
from ragcli.errors import ParseError, Unsupported
from ragcli.index.ledger import Ledger
from ragcli.index.rows import FileFacts, FileRow
from ragcli.ingest.report import IngestReport, Progress
from ragcli.ingest.scan import NO_PERMISSION, Found
from ragcli.ingest.survey import UNREAD, attempt
from ragcli.settings import Ingest

UNKNOWN = "unknown"
"""The format of a file that could not be opened or was given up before its kind was told."""

FOLLOW_SECONDS = 5.0
RACY_NS = 2_000_000_000
"""A file that was written this short a time ago may be written again without its time moving."""

Task = tuple[Found, FileRow | None]


@dataclass(slots=True)
class Reader:
    """Reads files and says in the report what became of each."""

    ledger: Ledger
    limits: Ingest
    report: IngestReport
    progress: Progress
    data: dict[str, bytes] = field(default_factory=dict)
    """Bytes that are there already, by the name of the document."""

    def read(self, tasks: Sequence[Task], pool: ParserPool, follow: Callable[[], None]) -> None:
        """Read and publish; `follow` is called every few seconds, when all is committed."""
        again = self._pass(tasks, pool, follow, last=False)
        if again:
            self._pass(again, pool, follow, last=True)

    def _pass(
        self, tasks: Sequence[Task], pool: ParserPool, follow: Callable[[], None], *, last: bool
    ) -> list[Task]:
        """One pass over files; returns those that were written to meanwhile, unless it is the last."""
        again: list[Task] = []
        work = zip(tasks, pool.parse(self._requests(tasks)), strict=True)
        while True:
            until = time.monotonic() + FOLLOW_SECONDS
            with self.ledger.together():
                for task, result in work:
                    if not last and self._moving(task[0], result):
                        again.append(task)
                    else:
                        self._take(task, result)
                    if time.monotonic() > until:
                        break
                else:
                    break
            follow()
        follow()
        return again

    def _requests(self, tasks: Sequence[Task]) -> Iterator[ParseRequest]:
        for found, _ in tasks:
            name = os.path.basename(found.path)  # noqa: PTH119
            data = self.data.get(found.path)
            yield ParseRequest(None if data is not None else found.path, name, data=data)

    def _moving(self, found: Found, result: ParseResult) -> bool:
        """Whether the file is not, or no longer, what the child has read."""
        if found.path in self.data:
            return False
        try:
            source = result.source()
            status = os.lstat(found.path)
        except (ParseError, OSError):
            return False
        return (source.size, source.mtime_ns) != (status.st_size, status.st_mtime_ns)

    def _take(self, task: Task, result: ParseResult) -> None:
        found, known = task
        staged: int | None = None
        unread: list[tuple[str, str]] = []
        try:
            source = result.source()
            staged = self.ledger.stage(facts(found, source))
            for document in result.documents():
                self.ledger.add_document(staged, document)
                unread += [(found.path, warning) for warning in document.warnings]
        except ParseError as error:
            if staged is not None:
                self.ledger.abandon(staged)
            self._refuse(found, result, error)
        else:
            self.ledger.publish(staged)
            self.report.incomplete += unread
            if known is None:
                self.report.added += 1
            else:
                self.report.updated += 1
        self.progress.advance(1, found.path)

    def _refuse(self, found: Found, result: ParseResult, error: ParseError) -> None:
        """Report a file that was not read, and remember why, so that it is not read again in vain."""
        try:
            source = result.source()
        except ParseError:
            source = Source("", found.size, found.mtime_ns, UNKNOWN, "")
        if found.path not in self.data and not os.path.lexists(found.path):
            self.report.skipped.append((found.path, "gone before it was read"))
        elif found.path not in self.data and not os.access(found.path, os.R_OK):
            self.report.skipped.append((found.path, NO_PERMISSION))
        elif isinstance(error, Unsupported):
            self.fail(found, source, error.message, skip=True)
        else:
            self.fail(found, source, error.message)

    def fail(self, found: Found, source: Source, reason: str, *, skip: bool = False) -> None:
        """Record a file as failed, or as skipped for good."""
        reader = UNREAD if skip else source.format
        seen = facts(found, source, reader=reader, parser=attempt(reader, self.limits))
        self.ledger.fail(seen, reason)
        (self.report.skipped if skip else self.report.failed).append((found.path, reason))

    def copy(self, source: Found, twin: Found) -> bool:
        """Give a file what another one with the same bytes became; False where that has changed."""
        row = self.ledger.file(source.path)
        if row is None or not row.digest:
            return False
        here = Source(row.digest, twin.size, twin.mtime_ns, row.format, row.parser)
        if row.state == "ready":
            self.ledger.copy(facts(twin, here), row.id)
            self.report.added += 1
        else:
            self.fail(twin, here, row.error or "", skip=row.format == UNREAD)
        self.progress.advance(1, twin.path)
        return True


def facts(
    found: Found, source: Source, *, reader: str | None = None, parser: str | None = None
) -> FileFacts:
    """What the ledger is to know of a file that was read."""
    return FileFacts(
        path=found.path,
        root=found.root or None,
        size=source.size,
        mtime_ns=settled(source.mtime_ns),
        digest=source.digest,
        format=source.format if reader is None else reader,
        parser=source.parser if parser is None else parser,
    )


def settled(mtime_ns: int) -> int:
    """The time of change to keep. One too recent to be trusted is kept a nanosecond off.

    The next run then finds it different and compares the bytes (git's racily clean entries).
    """
    return mtime_ns - 1 if time.time_ns() - mtime_ns < RACY_NS else mtime_ns

"""`ragcli ingest PATH...`: bring a collection level with files and folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.options import Common
from ragcli.cli.output import clean
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.render import shown_path
from ragcli.cli.session import Session
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.ingest.report import IngestReport

SHOWN_FAILURES = 10


def ingest(
    common: Common,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH...]", help="Files and folders; - is stdin. By default all known ones."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="With -: the name of the document, such as a.md.")
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="GLOB", help="Only matching files.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="GLOB", help="No matching files.")
    ] = None,
    no_ignore: Annotated[
        bool, typer.Option("--no-ignore", help="Disregard .gitignore and .ragignore.")
    ] = False,
    hidden: Annotated[
        bool, typer.Option("--hidden", help="Read hidden and key files too.")
    ] = False,
    no_prune: Annotated[
        bool, typer.Option("--no-prune", help="Keep documents whose files are gone.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, help="Parsing processes.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read and embed everything again.")
    ] = False,
) -> None:
    """Bring the collection level with files and folders."""
    session = Session(common, os.environ, Path.cwd())
    session.config.override(
        ingest__include=include,
        ingest__exclude=exclude,
        ingest__ignore=False if no_ignore else None,
        ingest__hidden=True if hidden else None,
        ingest__jobs=jobs,
    )
    stdin = _stdin(paths, name)
    with TerminalProgress(session.out) as progress:
        report = session.ingest(
            [session.absolute(Path(path)) for path in paths or [] if path != "-"],
            progress,
            prune=not no_prune,
            dry_run=dry_run,
            force=force,
            stdin=stdin,
        )
    if report.interrupted:
        session.out.note(f"Interrupted after {_said(report)}.")
        session.out.note("What was done is kept; the same command goes on from here.")
        raise typer.Exit(130)
    if session.out.json:
        session.out.record(_json(report, session))
    else:
        _print(report, session, dry_run)
    if report.failed:
        raise typer.Exit(4)


def _stdin(paths: list[str] | None, name: str | None) -> tuple[str, bytes] | None:
    if "-" not in (paths or []):
        if name is not None:
            raise UsageError("--name belongs to a document from stdin.", "Add - as a path.")
        return None
    return name or "stdin.txt", sys.stdin.buffer.read()


def _json(report: IngestReport, session: Session) -> dict[str, Any]:
    return {
        "schema": "ragcli.ingest/1",
        "seen": report.seen,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "deleted": report.deleted,
        "skipped": [
            {"path": shown_path(path, session.cwd), "reason": reason}
            for path, reason in report.skipped
        ],
        "failed": [
            {"path": shown_path(path, session.cwd), "error": error} for path, error in report.failed
        ],
        "warnings": [
            *({"path": None, "warning": text} for text in report.warnings),
            *(
                {"path": shown_path(path, session.cwd), "warning": text}
                for path, text in report.incomplete
            ),
        ],
        "chunks": report.chunks,
        "seconds": round(report.seconds, 3),
        "collection": session.settings.collection,
    }


def _said(report: IngestReport) -> str:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "deleted": report.deleted,
        "skipped": len(report.skipped),
        "failed": len(report.failed),
    }
    return (
        ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing found"
    )


def _print(report: IngestReport, session: Session, dry_run: bool) -> None:
    out = session.out
    verb = "Would change" if dry_run else "Collection"
    out.data(
        f"{verb} {session.settings.collection!r}: {_said(report)}; "
        f"{report.chunks} chunks, {report.seconds:.1f} s"
    )
    shown = report.failed if out.verbose else report.failed[:SHOWN_FAILURES]
    for path, error in shown:
        out.warn(f"{clean(shown_path(path, session.cwd), one_line=True)}: {error}")
    if len(shown) < len(report.failed):
        out.note(f"{len(report.failed) - len(shown)} more failed: ragcli list")
    for text in report.warnings:
        out.warn(text)
    told = report.incomplete if out.verbose else report.incomplete[:SHOWN_FAILURES]
    for path, text in told:
        out.warn(f"{clean(shown_path(path, session.cwd), one_line=True)}: {text}")
    if len(told) < len(report.incomplete):
        out.note(f"{len(report.incomplete) - len(told)} more were not read whole; -v lists them.")
    for path, reason in report.skipped if out.verbose else []:
        out.note(f"skipped {clean(shown_path(path, session.cwd), one_line=True)}: {reason}")
    if report.skipped and not out.verbose:
        out.note(f"{len(report.skipped)} skipped; -v lists them.")

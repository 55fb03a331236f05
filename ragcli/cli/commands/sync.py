"""`ragcli sync`: bring a vector store elsewhere level with the ledger, or make a ledger from one."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.options import Common
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.session import Session
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.index.collection import Collection

Store = Annotated[
    str | None,
    typer.Option("--to", metavar="STORE", help="Send what is missing to this store."),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="STORE", help="Make the ledger from what this store holds."),
]


def sync(
    common: Common,
    to: Store = None,
    source: From = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent and send nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take over a place that another collection wrote.")
    ] = False,
) -> None:
    """Bring a vector store level with the collection, without embedding again."""
    session = Session(common, os.environ, Path.cwd())
    if to is not None and source is not None:
        raise UsageError("sync goes one way.", "Give either --to STORE or --from STORE.")
    session.config.override(store__use=to or source)
    if session.settings.store.use == "embedded":
        raise UsageError(
            "The embedded store follows the ledger by itself.",
            "Name another: ragcli sync --to pinecone; or set store.use.",
        )
    if source is not None:
        _take(session, dry_run=dry_run, force=force)
    else:
        _send(session, dry_run=dry_run, force=force)


def _send(session: Session, *, dry_run: bool, force: bool) -> None:
    with session.collection() as collection:
        remote = collection.remote
        try:
            if dry_run:
                plan = remote.plan()
                facts = {"place": remote.store.place, **asdict(plan)}
                said = (
                    f"Would send {plan.vectors} vectors to {remote.store.place} and erase"
                    f" {plan.deletions}; requests: {plan.requests}, of about {plan.bytes / 1e6:.1f} MB."
                )
            else:
                plan = _carry_over(session, collection, remote, force=force)
                facts = {"place": remote.store.place, "held": remote.sent(), **asdict(plan)}
                said = (
                    f"{remote.store.place} is level with the ledger: {facts['held']} vectors;"
                    f" sent {plan.vectors}, erased {plan.deletions}."
                )
        finally:
            remote.close()
    _say(session, {"dry_run": dry_run, **facts}, said)


def _carry_over(session: Session, collection: Collection, remote: Any, *, force: bool) -> Any:
    with TerminalProgress(session.out) as progress, collection.writing():
        plan = remote.plan()
        progress.phase(f"Sending to {remote.store.manner.title}", plan.vectors)
        remote.catch_up(progress.advance, take_over=force)
    return plan


def _take(session: Session, *, dry_run: bool, force: bool) -> None:
    from ragcli.index.restoring import restore

    with TerminalProgress(session.out) as progress:
        found = restore(
            session.data_dir,
            session.settings,
            session.surroundings,
            progress.phase,
            progress.advance,
            dry_run=dry_run,
            force=force,
        )
    verb = "Would make" if dry_run else "Made"
    said = (
        f"{verb} the collection {session.settings.collection!r} from {found.place}:"
        f" {found.files} files, {found.chunks} chunks."
    )
    _say(session, {"dry_run": dry_run, **asdict(found)}, said)
    for warning in found.warnings:
        session.out.warn(warning)


def _say(session: Session, facts: dict[str, Any], said: str) -> None:
    if session.out.json:
        facts = {"schema": "ragcli.sync/1", **facts}
        session.out.record({**facts, "collection": session.settings.collection})
    else:
        session.out.data(said)

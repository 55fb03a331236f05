"""Writes a question set from the collection of a run, with its language model if one is configured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.cli.output import to_json
from ragcli.cli.progress import TerminalProgress
from ragcli.cli.render import shown_path
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.cli.session import Session
    from ragcli.evaluate.making import Made
    from ragcli.index.ledger import Ledger


def make_set(session: Session, count: int, seed: int, output: Path | None) -> None:
    """Write `count` questions to a new file, or to stdout."""
    if output is not None and (session.cwd / output).exists():
        raise UsageError(f"{output} exists already.", "Choose another name with --out.")
    try:
        with session.collection() as collection, TerminalProgress(session.out) as progress:
            progress.phase("questions", count)
            rows = []
            for made in _made(session, collection.ledger, count, seed):
                rows.append(made.row(lambda path: shown_path(path, session.cwd)))
                progress.advance()
    finally:
        session.close()
    if not rows:
        raise UsageError(
            "The collection has no sentence to ask for.", "Fill it with: ragcli ingest PATH..."
        )
    lines = [to_json(row) for row in rows]
    if output is None:
        for line in lines:
            session.out.data(line)
    else:
        write_new(session.cwd / output, lines)
    if len(rows) < count:
        session.out.warn(f"Only {len(rows)} questions could be made, not {count}.")
    session.out.note(
        "Review them before you rely on them: delete or reword lines that nobody would ask."
    )


def write_new(file: Path, lines: Sequence[str]) -> None:
    """Write the lines of a question set; raises UsageError where there is such a file."""
    if file.exists():
        raise UsageError(f"{file} exists already.", "Choose another name with --out.")
    # A set quotes the documents: it is for the eyes of its owner.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def _made(session: Session, ledger: Ledger, count: int, seed: int) -> Iterator[Made]:
    from ragcli.evaluate.making import make, make_with

    if session.llm.name is None:
        yield from make(ledger, count, seed)
        return
    failed = 0
    for made in make_with(
        ledger, count, seed, session.llm.ready.name, lambda *told: _asked(session, *told)
    ):
        failed += made is None
        if made is not None:
            yield made
    if failed:
        session.out.note(
            f"{failed} replies were left out: their answer does not stand in the passage."
        )


def _asked(session: Session, system: str, prompt: str) -> str:
    from langchain_core.messages import HumanMessage, SystemMessage
    from langsmith import tracing_context

    # A trace would send the passage to another host.
    with tracing_context(enabled=False):
        pieces = session.llm.ready.model.stream([SystemMessage(system), HumanMessage(prompt)])
        return "".join(str(piece.text) for piece in pieces)

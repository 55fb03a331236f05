"""Writes a question set from the collection of a run, with its language model if one is configured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.cli.files import check_new, write_new
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
    file = None if output is None else session.cwd / output.expanduser()
    if file is not None:
        check_new(file)
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
    if file is not None:
        write_new(file, lines)
    for line in lines if file is None else []:
        session.out.data(line)
    if len(rows) < count:
        session.out.warn(f"Only {len(rows)} questions could be made, not {count}.")
    session.out.note(
        "Review them before you rely on them: delete or reword lines that nobody would ask."
    )


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

"""`ragcli show ID`: a chunk with its neighbours, or a document whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.options import Common
from ragcli.cli.output import clean
from ragcli.cli.render import chunk_json, source_line
from ragcli.cli.session import Session
from ragcli.errors import UsageError
from ragcli.types import StoredChunk

if TYPE_CHECKING:
    from ragcli.index.ledger import Ledger


def show(
    common: Common,
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a chunk, or path of a document.")
    ],
    context: Annotated[
        int, typer.Option("--context", metavar="N", min=0, help="Neighbours on each side.")
    ] = 1,
) -> None:
    """Show a chunk with its neighbours, or all chunks of a document."""
    session = Session(common, os.environ, Path.cwd())
    with session.collection() as collection:
        chunk = collection.ledger.chunk_by_id(name)
        if chunk is not None:
            before, after = collection.ledger.neighbours(chunk, context, context)
            shown: Sequence[StoredChunk] = [*before, chunk, *after]
        else:
            shown = _document(collection.ledger, name, session)
    if session.out.json:
        items: list[dict[str, Any]] = [chunk_json(item, session.cwd) for item in shown]
        session.out.record({"schema": "ragcli.show/1", "id": name, "chunks": items})
        return
    for item in shown:
        mark = "> " if chunk is not None and item.id == chunk.id else ""
        place = source_line(item, item.place(), session.cwd)
        session.out.data(f"{mark}{session.out.bold(place)}  {session.out.faint(item.id)}")
        session.out.data(clean(item.text) + "\n")


def _document(ledger: Ledger, name: str, session: Session) -> list[StoredChunk]:
    file = ledger.file(name) or ledger.file(str(session.absolute(Path(name))))
    if file is None:
        raise UsageError(
            f"There is no chunk or document {name!r} in the collection.",
            "List the documents with: ragcli list",
        )
    documents = ledger.documents(file.id)
    return [chunk for document in documents for chunk in ledger.chunks_of(document.id)]

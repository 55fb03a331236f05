"""`ragcli list`: the files of a collection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ragcli.cli.options import Common
from ragcli.cli.output import clean
from ragcli.cli.render import shown_path
from ragcli.cli.session import Session


def list_documents(
    common: Common,
    under: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="Only files at or below this path.")
    ] = None,
) -> None:
    """List the files of the collection."""
    from ragcli.ingest.survey import outcome

    session = Session(common, os.environ, Path.cwd())
    below = str(session.absolute(under)) if under is not None else None
    with session.collection() as collection:
        files = collection.ledger.files(below)
        if session.out.json:
            items = [
                {
                    "path": shown_path(file.path, session.cwd),
                    "format": file.format,
                    "state": outcome(file),
                    "documents": file.documents,
                    "chunks": file.chunks,
                    "embedded": file.embedded,
                    "bytes": file.size,
                    "error": file.error,
                }
                for file in files
            ]
            session.out.record(
                {"schema": "ragcli.list/1", "collection": collection.name, "documents": items}
            )
            return
        listed = False
        for file in files:
            listed = True
            path = clean(shown_path(file.path, session.cwd), one_line=True)
            detail = f"{file.chunks} chunks"
            if file.state != "ready":
                detail = f"{outcome(file)}: {file.error}"
            said = ", ".join(filter(None, [file.format, clean(detail)]))
            session.out.data(f"{path}  {session.out.faint(said)}")
        if not listed and under is not None:
            place = clean(str(under), one_line=True)
            session.out.note(f"The collection holds no file at or below {place}.")

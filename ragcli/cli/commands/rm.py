"""`ragcli rm PATH...`: take documents out of a collection; the files themselves stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ragcli.cli.options import Common
from ragcli.cli.session import Session
from ragcli.errors import UsageError


def rm(
    common: Common,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files or folders to forget.")
    ],
) -> None:
    """Remove documents from the collection; the files stay."""
    session = Session(common, os.environ, Path.cwd())
    with session.collection() as collection, collection.writing():
        ledger = collection.ledger
        removed: dict[int, str] = {}
        for name in paths:
            path = str(session.absolute(Path(name)))
            found = {file.id: file.path for file in ledger.files(path)}
            if (bare := ledger.file(name)) is not None:
                found[bare.id] = bare.path
            if not found:
                raise UsageError(
                    f"There is no document at {name!r} in the collection.",
                    "List the documents with: ragcli list",
                )
            removed.update(found)
        ledger.remove(removed)
        for root in ledger.roots():
            if any(Path(root).is_relative_to(session.absolute(Path(name))) for name in paths):
                ledger.remove_root(root)
        collection.refresh()
    if session.out.json:
        session.out.record(
            {
                "schema": "ragcli.rm/1",
                "removed": sorted(removed.values()),
                "collection": collection.name,
            }
        )
    else:
        session.out.data(f"Removed {len(removed)} from collection {collection.name!r}.")

"""`ragcli status`: what is in a collection, and how much of it can be found by meaning yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ragcli.cli.options import Common
from ragcli.cli.output import clean
from ragcli.cli.session import Session


def status(common: Common) -> None:
    """Say what is in the collection."""
    from ragcli.ingest.survey import outcome

    session = Session(common, os.environ, Path.cwd())
    with session.collection() as collection:
        ledger = collection.ledger
        states: dict[str, int] = {}
        documents = size = 0
        for file in ledger.files():
            states[outcome(file)] = states.get(outcome(file), 0) + 1
            documents += file.documents
            size += file.size
        coverage = ledger.coverage()
        facts: dict[str, Any] = {
            "schema": "ragcli.status/1",
            "collection": collection.name,
            "directory": str(collection.directory),
            "files": states.get("ready", 0),
            "failed": states.get("failed", 0),
            "skipped": states.get("skipped", 0),
            "documents": documents,
            "chunks": coverage.chunks,
            "embedded": coverage.embedded,
            "bytes": size,
            "roots": ledger.roots(),
            "embedder": collection.built_with("model"),
            "store": session.settings.store.use,
            "warnings": collection.warnings,
        }
    if session.out.json:
        session.out.record(facts)
        return
    for line in _lines(facts):
        session.out.data(clean(line))


def _lines(facts: dict[str, Any]) -> list[str]:
    chunks, embedded = facts["chunks"], facts["embedded"]
    share = 100 * embedded // chunks if chunks else 100
    failed = f", {facts['failed']} failed (ragcli list)" if facts["failed"] else ""
    return [
        f"collection  {facts['collection']}  ({facts['directory']})",
        f"files       {facts['files']}{failed}",
        f"documents   {facts['documents']}",
        f"chunks      {chunks}, of which {share} % have vectors",
        f"embedder    {facts['embedder'] or 'not chosen yet'}",
        f"store       {facts['store']}",
        *(f"root        {root}" for root in facts["roots"]),
        *(f"warning     {warning}" for warning in facts["warnings"]),
    ]

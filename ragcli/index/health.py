"""Examines a collection as it lies on the disk; mends nothing."""

from __future__ import annotations

from ragcli.errors import CollectionDamaged, IndexDamaged, RagcliError
from ragcli.index.indexes import Indexes
from ragcli.index.ledger import Ledger
from ragcli.index.rows import Coverage

Finding = tuple[str, str, str]
"""A part, its state (`ok`, `behind` or `damaged`), and a sentence."""


def examine(ledger: Ledger, indexes: Indexes) -> list[Finding]:
    """Read all of the ledger and of both indexes and say what is wrong with each."""
    problems = ledger.check()
    if problems:
        return [("ledger", "damaged", "; ".join(problems)), *_derived(ledger, indexes)]
    coverage = ledger.coverage()
    counted = f"{coverage.chunks} chunks, {coverage.embedded} of them embedded"
    return [("ledger", "ok", counted), *_derived(ledger, indexes)]


def _derived(ledger: Ledger, indexes: Indexes) -> list[Finding]:
    try:
        coverage = ledger.coverage()
        return [_lexical(ledger, indexes, coverage), _dense(ledger, indexes, coverage)]
    except CollectionDamaged:
        return []  # of indexes nothing can be said where the ledger cannot be read


def _lexical(ledger: Ledger, indexes: Indexes, coverage: Coverage) -> Finding:
    lexical = indexes.new_lexical()
    try:
        lexical.open()
        lexical.verify()
        count, behind = lexical.count(), ledger.position() - lexical.position
    except IndexDamaged as error:
        return "lexical index", "damaged", f"{error.message} {error.fix}"
    finally:
        lexical.close()
    return _standing("lexical index", f"{count} chunks", behind, count == coverage.chunks)


def _remote(ledger: Ledger, indexes: Indexes, coverage: Coverage) -> Finding:
    remote = indexes.new_remote()
    try:
        if not remote.check():
            state = "behind" if coverage.embedded else "ok"
            return "store", state, f"nothing in {remote.store.place} yet. Run: ragcli sync"
        count = remote.count()
    except RagcliError as error:
        return "store", "damaged", f"{error.message} {error.fix}"
    finally:
        remote.close()
    content = f"{count} vectors in {remote.store.place}"
    return _standing("store", content, remote.behind(), count == remote.sent())


def _dense(ledger: Ledger, indexes: Indexes, coverage: Coverage) -> Finding:
    if not indexes.embedded:
        return _remote(ledger, indexes, coverage)
    dense = indexes.new_dense()
    try:
        dense.open(indexes.embedder)
    except IndexDamaged as error:
        if coverage.embedded == 0:
            return "dense index", "ok", "nothing is embedded yet"
        return "dense index", "damaged", f"{error.message} {error.fix}"
    count, behind = len(dense.store), ledger.position() - dense.position
    if 0 < behind <= dense.tolerance():
        return "dense index", "ok", f"{count} vectors"
    return _standing("dense index", f"{count} vectors", behind, count == coverage.embedded)


def _standing(part: str, content: str, behind: int, complete: bool) -> Finding:
    if behind:
        return part, "behind", f"{content}, {behind} changes behind the ledger"
    if not complete:
        return part, "damaged", f"{content}, not as many as the ledger. Run: ragcli doctor --repair"
    return part, "ok", content

"""Makes a ledger from a store that ragcli wrote: the way back, and the way to another machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.errors import StoreError, UsageError
from ragcli.index import fingerprint
from ragcli.index.claim import IDENTITY
from ragcli.index.collection import Collection
from ragcli.index.incoming import Inbox, Piece, spans_of
from ragcli.index.remote import RemoteIndex
from ragcli.index.rows import FileFacts
from ragcli.types import Chunk, SplitDocument

if TYPE_CHECKING:
    from ragcli.index.surroundings import Surroundings
    from ragcli.settings import Settings

PAGE = 500
Phase = Callable[[str, int | None], None]
Advance = Callable[[int], None]


@dataclass(slots=True)
class Restored:
    """What was found in a store and made into a ledger; `cut` chunks lack a part of their text."""

    place: str
    files: int = 0
    chunks: int = 0
    cut: int = 0
    warnings: list[str] = field(default_factory=list)


def restore(
    data_dir: Path,
    settings: Settings,
    surroundings: Surroundings,
    phase: Phase,
    advance: Advance,
    *,
    dry_run: bool = False,
    force: bool = False,
) -> Restored:
    """Make the collection of these settings from the store that they configure.

    Raises UsageError when the collection has documents already and `force` is not set, StoreError
    when the store holds none of ragcli's.
    """
    exists = (data_dir / "collections" / settings.collection).exists()
    if dry_run and not exists:
        with tempfile.TemporaryDirectory() as folder:
            return _into(Path(folder), settings, surroundings, phase, advance, dry_run=True)
    if exists and not dry_run and not force:
        with Collection.open(data_dir, settings.collection, settings) as collection:
            if collection.ledger.coverage().chunks:
                raise UsageError(
                    f"The collection {settings.collection!r} has documents already.",
                    "Choose another with -c NAME, or replace what it has with --force.",
                )
    return _into(data_dir, settings, surroundings, phase, advance, dry_run=dry_run)


def _into(
    data_dir: Path,
    settings: Settings,
    surroundings: Surroundings,
    phase: Phase,
    advance: Advance,
    *,
    dry_run: bool,
) -> Restored:
    name = settings.collection
    with Collection.open(
        data_dir, name, settings, create=True, surroundings=surroundings
    ) as collection:
        remote = collection.remote
        try:
            facts = _facts(remote)
            with tempfile.TemporaryDirectory(prefix="ragcli-") as folder:
                inbox = Inbox(Path(folder) / "inbox.db")
                phase(f"Reading {remote.store.manner.title}", remote.store.count())
                _read(remote, inbox, advance)
                result = Restored(remote.store.place, *inbox.totals())
                if result.cut:
                    result.warnings.append(
                        f"{result.cut} chunks were too long for the store: their files are read"
                        " again by the next ragcli ingest."
                    )
                if not dry_run:
                    with collection.writing():
                        _write(collection, inbox, facts)
                        remote.adopt()
                        collection.refresh()
                inbox.close()
        finally:
            remote.close()
    return result


def _facts(remote: RemoteIndex) -> dict[str, str]:
    facts = remote.store.facts() if remote.store.open() else None
    if facts is None or "splitter" not in facts:
        raise StoreError(
            f"{remote.store.manner.title} ({remote.store.place}) holds nothing that ragcli wrote.",
            "Check the settings of `store`, such as the index and the namespace.",
        )
    return facts


def _read(remote: RemoteIndex, inbox: Inbox, advance: Advance) -> None:
    page: list[str] = []
    for id in remote.store.ids():
        page.append(id)
        if len(page) == PAGE:
            inbox.add(remote.store.fetch(page))
            advance(len(page))
            page = []
    inbox.add(remote.store.fetch(page))
    advance(len(page))


def _write(collection: Collection, inbox: Inbox, facts: dict[str, str]) -> None:
    ledger = collection.ledger
    ledger.remove([row.id for row in ledger.files()])
    ledger.set_meta(IDENTITY, facts["collection"])
    digest, _, _ = facts["embedder"].partition("/")
    built = {
        "model": facts["model"],
        "embedder": digest,
        "dimension": facts["dimension"],
        "splitter": facts["splitter"],
    }
    fingerprint.adopt(ledger, built)
    ledger.continue_generation(int(facts["embedder"].partition("/")[2] or 0))
    with ledger.together():
        for path, pieces in inbox.files():
            _write_file(collection, path, pieces)
    for keys, vectors in inbox.vectors():
        ledger.store_vectors(keys, vectors)


def _write_file(collection: Collection, path: str, pieces: list[Piece]) -> None:
    ledger, source = collection.ledger, pieces[0].data
    complete = not any(piece.data.get("cut") for piece in pieces)
    root = source.get("root")
    if root is not None:
        ledger.add_root(root)
    staged = ledger.stage(
        FileFacts(
            path=path,
            root=root,
            size=int(source.get("size", 0)) if complete else -1,
            mtime_ns=int(source.get("mtime_ns", 0)),
            digest=str(source.get("digest", "")) if complete else "",
            format=str(source.get("format", "text")),
            parser=str(source.get("parser", "")),
        )
    )
    for document in _documents(pieces):
        ledger.add_document(staged, document)
    ledger.publish(staged)


def _documents(pieces: list[Piece]) -> Iterator[SplitDocument]:
    """The documents of a file in their order; those that had no text leave an empty one behind."""
    at = 0
    for ordinal, group in groupby(pieces, key=lambda piece: piece.document):
        while at < ordinal:
            yield SplitDocument([])
            at += 1
        yield _document(list(group))
        at += 1


def _document(pieces: list[Piece]) -> SplitDocument:
    data: dict[str, Any] = dict(pieces[0].data)
    return SplitDocument(
        [
            Chunk(
                piece.text,
                tuple(piece.data.get("heading", ())),
                spans_of(piece.data),
                int(piece.data.get("tokens", 0)),
            )
            for piece in pieces
        ],
        title=data.get("title"),
        doc_id=data.get("doc_id"),
        metadata=data.get("metadata", {}),
        page_unit=data.get("page_unit"),
        line_unit=data.get("line_unit", "line"),
        warnings=data.get("warnings", []),
    )

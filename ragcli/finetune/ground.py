"""The corpus that questions are asked in: a collection of its own, with the vectors of one embedder.

A copy of the user's collection, or one made from the corpus that the data brings along. The
user's own collection is never written to here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.errors import ModelError, StorageError
from ragcli.finetune.loading import dump
from ragcli.finetune.material import Passage
from ragcli.index import fingerprint
from ragcli.index.collection import LEDGER, Collection
from ragcli.ingest.embed import embed
from ragcli.ingest.rebuild import current_fingerprint, splitter_options
from ragcli.ingest.run import ingest
from ragcli.settings import Settings, Store

if TYPE_CHECKING:
    from ragcli.embedders import EmbedderInfo
    from ragcli.ingest.report import Progress

NAME = "ground"
CHUNK = "chunk "


@dataclass(frozen=True, slots=True)
class Scene:
    """What stays the same for every corpus of a run: the settings and who is told."""

    settings: Settings
    progress: Progress

    def at_home(self) -> Settings:
        """The settings with every vector on this machine."""
        return self.settings.model_copy(update={"store": Store(), "collection": NAME})


class Ground:
    """A collection whose hits are passages: records by their id, or chunks by their key."""

    def __init__(self, collection: Collection, *, records: bool) -> None:
        self.collection = collection
        self.records = records
        self._names: dict[int, str] = {}
        self._keys: dict[str, list[int]] = {}

    @property
    def names(self) -> Mapping[int, str]:
        """The passage that each chunk belongs to, by chunk key."""
        if not self._names:
            rows = self.collection.ledger.query(
                "SELECT c.key, d.doc_id FROM chunks c JOIN documents d ON d.id = c.document"
                " JOIN files f ON f.id = d.file WHERE f.state = 'ready'"
            )
            self._names = {
                key: str(record) if self.records else f"{CHUNK}{key}" for key, record in rows
            }
        return self._names

    def keys(self) -> dict[str, list[int]]:
        """The chunks of each passage."""
        if not self._keys:
            for key, name in self.names.items():
                self._keys.setdefault(name, []).append(key)
        return self._keys

    def close(self) -> None:
        """Let go of the collection."""
        self.collection.close()


def from_passages(
    folder: Path,
    passages: Mapping[str, Passage],
    scene: Scene,
    info: EmbedderInfo,
    build: Callable[[], Any],
) -> Ground:
    """A new corpus of these passages, embedded. What was done in an earlier run is kept."""
    source = folder / "corpus.jsonl"
    if not source.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        dump(source, _records(passages))
    settings = scene.at_home()
    collection = Collection.open(folder, NAME, settings, create=True)
    report = ingest(
        collection,
        [source],
        settings,
        embedder_info=info,
        build_embedder=build,
        progress=scene.progress,
    )
    if report.interrupted:
        raise KeyboardInterrupt
    if not report.chunks:
        raise ModelError("None of the passages holds text.", "Check the training data.")
    return Ground(collection, records=True)


def _records(passages: Mapping[str, Passage]) -> Iterator[dict[str, object]]:
    for id, passage in passages.items():
        yield {"_id": id, "title": passage.title, "text": passage.text}


def twin(folder: Path, original: Collection, scene: Scene, *, records: bool) -> Ground:
    """A copy of a collection's ledger, vectors included; its indexes are built from it."""
    target = folder / "collections" / NAME
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(f"file:{original.ledger.path}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target / LEDGER)) as copy,
        ):
            source.backup(copy)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"The collection cannot be copied to {folder}: {error}.", "Free some space."
        ) from error
    return Ground(Collection.open(folder, NAME, scene.at_home()), records=records)


def embed_with(ground: Ground, scene: Scene, info: EmbedderInfo, build: Callable[[], Any]) -> None:
    """Give every chunk the vector of this embedder, from the texts in the ledger."""
    options = splitter_options(scene.settings.splitter, info)
    with ground.collection.writing():
        fingerprint.adopt(ground.collection.ledger, current_fingerprint(info, options))
        embed(ground.collection, build, scene.progress)
        ground.collection.refresh()


def holds(collection: Collection, wanted: set[str]) -> bool:
    """Whether a collection has a record for each of these ids."""
    rows = collection.ledger.query("SELECT DISTINCT doc_id FROM documents WHERE doc_id IS NOT NULL")
    return wanted <= {str(record) for (record,) in rows}

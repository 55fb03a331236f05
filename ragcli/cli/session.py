"""What one run of a command stands on: settings, folders, the collection, the embedder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ragcli.cli.configuration import Configuration
from ragcli.cli.options import Common
from ragcli.cli.output import Output

if TYPE_CHECKING:
    from ragcli.cli.llm import ChosenLlm
    from ragcli.cli.opening import Asking
    from ragcli.embedders import EmbedderInfo
    from ragcli.embedders.embedder import SentenceEmbedder
    from ragcli.index.collection import Collection
    from ragcli.index.surroundings import Surroundings
    from ragcli.ingest.report import IngestReport, Progress
    from ragcli.rerankers.reranker import Reranker
    from ragcli.settings import Settings


class Session:
    """Loads lazily: a command pays only for the parts that it asks for."""

    def __init__(
        self,
        common: Common,
        environ: Mapping[str, str],
        cwd: Path,
        config: Configuration | None = None,
    ) -> None:
        self.common = common
        self.cwd = cwd
        self.out = Output(
            json=common.json, quiet=common.quiet, verbose=common.verbose, environ=environ
        )
        self.config = config or Configuration(common, environ, cwd)
        self.environ = self.config.environ

    def beside(self, common: Common) -> Session:
        """Another run with other common options, and the same overrides."""
        return Session(common, self.environ, self.cwd, self.config.with_common(common))

    @property
    def settings(self) -> Settings:
        """Valid settings of this run."""
        return self.config.settings

    @property
    def data_dir(self) -> Path:
        """The folder of the collections."""
        return self.config.data_dir

    @cached_property
    def cache_dir(self) -> Path:
        """Models, exports and one-shot collections: safe to delete."""
        from platformdirs import user_cache_path

        return user_cache_path("ragcli", appauthor=False)

    @cached_property
    def embedder_info(self) -> EmbedderInfo:
        """What the configured embedder is, without loading it."""
        from ragcli.embedders import describe

        return describe(self.settings.embedder, self.cache_dir, self.settings.offline)

    @cached_property
    def embedder(self) -> SentenceEmbedder:
        """The configured embedder, loaded."""
        from ragcli.embedders import build

        return build(
            self.settings.embedder,
            self.cache_dir,
            self.settings.offline,
            keys=self.environ,
            on_progress=self.out.note,
        )

    @cached_property
    def reranker(self) -> Reranker:
        """The configured reranker, ready to be asked."""
        from ragcli.rerankers import build

        return build(
            self.settings.reranker,
            self.cache_dir,
            self.settings.offline,
            keys=self.environ,
            on_progress=self.out.note,
        )

    @property
    def reranker_name(self) -> str | None:
        """`plug:model` of the reranker; None where hits stay as they were fused."""
        from ragcli.rerankers import NONE

        use = self.settings.reranker.use
        return None if use == NONE else f"{use}:{self.reranker_options.model}"

    @property
    def reranker_options(self) -> Any:
        """The options of the configured reranker's plug; raises ConfigError."""
        from ragcli.config import plug_options
        from ragcli.registry import load
        from ragcli.rerankers import RERANKERS

        choice = self.settings.reranker
        return plug_options(load("reranker", RERANKERS, choice.use), "reranker", choice)

    def choose_reranker(self, wanted: bool | None) -> None:
        """Rerank or not, as a flag says; None leaves it to the configuration."""
        from ragcli.rerankers import DEFAULT, NONE

        configured = self.settings.reranker.use
        if wanted is not None and wanted == (configured == NONE):
            self.config.override(reranker__use=DEFAULT if wanted else NONE)

    @cached_property
    def llm(self) -> ChosenLlm:
        """The configured language model; nothing of it is loaded yet."""
        from ragcli.cli.llm import ChosenLlm

        return ChosenLlm(self.settings, self.cache_dir, self.environ, self.out)

    def close(self) -> None:
        """Let go of the language model, if it was asked."""
        if "llm" in self.__dict__:
            self.llm.close()

    def absolute(self, path: Path) -> Path:
        """The path from the working directory, without links."""
        return Path(os.path.realpath(self.cwd / path.expanduser()))

    def collection(self) -> Collection:
        """The collection of this run, for reading; raises CollectionMissing where there is none."""
        from ragcli.index.collection import Collection

        return Collection.open(
            self.data_dir,
            self.settings.collection,
            self.settings,
            surroundings=self.surroundings,
        )

    @property
    def surroundings(self) -> Surroundings:
        """What a vector store elsewhere is given of this run."""
        from ragcli.index.surroundings import Surroundings

        return Surroundings(self.environ, self.common.yes, self.out.note)

    def _answering(self) -> Collection:
        """The collection of this run; where its ledger is elsewhere, what its store holds of it."""
        from ragcli.errors import CollectionMissing

        try:
            return self.collection()
        except CollectionMissing:
            if self.settings.store.use == "embedded":
                raise
        from ragcli.index.afar import FarCollection

        folder = self.data_dir / "collections" / self.settings.collection
        far = FarCollection.open(folder, self.settings, self.surroundings)
        return cast("Collection", far)  # to those who only ask, it is one

    def ingest(
        self, paths: Sequence[Path], progress: Progress, *, dry_run: bool = False, **options: Any
    ) -> IngestReport:
        """Bring the collection of this run level; a dry run leaves no trace of a new one."""
        from ragcli.index.collection import Collection

        name = self.settings.collection
        if not dry_run or (self.data_dir / "collections" / name).exists():
            with Collection.open(
                self.data_dir,
                name,
                self.settings,
                create=not dry_run,
                surroundings=self.surroundings,
            ) as known:
                return self.ingest_into(known, paths, progress, dry_run=dry_run, **options)
        with (
            tempfile.TemporaryDirectory() as folder,
            Collection.open(
                Path(folder), name, self.settings, create=True, surroundings=self.surroundings
            ) as empty,
        ):
            return self.ingest_into(empty, paths, progress, dry_run=True, **options)

    def ingest_into(
        self, collection: Collection, paths: Sequence[Path], progress: Progress, **options: Any
    ) -> IngestReport:
        """Bring an open collection level with these paths."""
        from ragcli.ingest.run import ingest

        return ingest(
            collection,
            paths,
            self.settings,
            embedder_info=self.embedder_info,
            build_embedder=lambda: self.embedder,
            progress=progress,
            **options,
        )

    @contextmanager
    def asking(self, paths: Sequence[Path]) -> Iterator[Asking]:
        """The collection of this run, or a one-shot collection of `paths`, open for questions."""
        from ragcli.cli.opening import Asking, check_fingerprint, one_shot

        collection = one_shot(self, paths) if paths else self._answering()
        with collection:
            if self.settings.retrieval.mode != "lexical":
                check_fingerprint(self, collection)
            try:
                yield Asking(self, collection)
            finally:
                self.close()

    def stack_json(self) -> dict[str, Any]:
        """What answered: the fields of the JSON output that name the parts."""
        settings = self.settings
        return {
            "collection": settings.collection,
            "embedder": self.embedder_info.model if settings.retrieval.mode != "lexical" else None,
            "store": settings.store.use,
            "reranker": self.reranker_name,
            "llm": self.llm.name,
            "top_k": settings.retrieval.top_k,
        }

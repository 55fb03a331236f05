"""Opens what a question needs: a collection that fits the settings, the retriever, the answerer."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ragcli.errors import UsageError

if TYPE_CHECKING:
    from langchain_classic.chains.combine_documents.base import BaseCombineDocumentsChain

    from ragcli.answer import Answer
    from ragcli.cli.asking import Question
    from ragcli.cli.session import Session
    from ragcli.index.collection import Collection
    from ragcli.rerankers.reranker import Reranker
    from ragcli.retrieve.options import By, RetrievalOptions
    from ragcli.retrieve.search import SearchResult

ONE_SHOT_DAYS = 30


class Asking:
    """A collection that is open for questions, with the settings of this run."""

    def __init__(self, session: Session, collection: Collection) -> None:
        self._session = session
        self._collection = collection

    @property
    def collection(self) -> Collection:
        """What the questions are asked of."""
        return self._collection

    def search(
        self, questions: Iterable[Question], *, by: str, filter_by: list[str] | None, explain: bool
    ) -> Iterator[tuple[Question, SearchResult]]:
        """Each question with its hits, in order; nothing of LangChain is imported."""
        from ragcli.retrieve.search import search_many

        asked, texts = tee(questions)
        results = search_many(
            self._collection,
            lambda: self._session.embedder,
            (question.text for question in texts),
            self._options(by, filter_by, explain),
            self._reranker(),
        )
        return zip(asked, results, strict=True)

    def answer(
        self,
        questions: Iterable[Question],
        *,
        filter_by: list[str] | None,
        explain: bool,
        on_text: Callable[[str], None] | None = None,
    ) -> Iterator[tuple[Question, Answer]]:
        """Each question with its answer, in order, through RetrievalQA.

        `on_text` is told what a language model writes, as soon as it is certain.
        """
        self._session.llm.begin()
        from ragcli.answer.chain import answer
        from ragcli.retrieve.retriever import CollectionRetriever

        results: list[SearchResult] = []
        retriever = CollectionRetriever(
            collection=self._collection,
            embedder=lambda: self._session.embedder,
            options=self._options("chunk", filter_by, explain),
            reranker=self._reranker(),
            on_result=results.append,
        )
        combine = self._combine(on_text)
        for question in questions:
            started = time.perf_counter()
            found = answer(question.text, retriever, combine)
            result = results.pop()
            found.warnings = [*result.warnings, *found.warnings]
            total = (time.perf_counter() - started) * 1000
            found.timings_ms = {
                name: round(spent, 1)
                for name, spent in {**result.timings_ms, **found.timings_ms, "total": total}.items()
            }
            yield question, found

    def remember(self, question: Question, answer: Answer) -> None:
        """Keep an answer beside its collection for `ragcli feedback`, if that is wanted."""
        from ragcli.evaluate.feedback import keep

        settings = self._session.settings
        collection = self._collection
        if not settings.remember or not collection.words or collection.readonly:
            return
        try:
            keep(collection.directory, question.text, answer, settings.remember)
        except OSError as error:
            self._session.out.detail(f"The answer is not remembered ({error.strerror}).")

    def _combine(self, on_text: Callable[[str], None] | None) -> BaseCombineDocumentsChain:
        from ragcli.answer import ANSWERERS, WRITERS
        from ragcli.config import plug_options
        from ragcli.registry import load

        session = self._session
        choice = session.settings.answer
        module = load("answerer", ANSWERERS, choice.use)
        given: dict[str, Any] = {}
        if choice.use in WRITERS and session.settings.llm.use != "none":
            given = {"llm": lambda: session.llm.ready, "on_text": on_text}
        chain: BaseCombineDocumentsChain = module.build(
            plug_options(module, "answer", choice), session.embedder, **given
        )
        return chain

    def _reranker(self) -> Callable[[], Reranker] | None:
        from ragcli.rerankers import NONE

        session = self._session
        return None if session.settings.reranker.use == NONE else lambda: session.reranker

    def _options(self, by: str, filter_by: list[str] | None, explain: bool) -> RetrievalOptions:
        from ragcli.retrieve.filters import parse
        from ragcli.retrieve.options import RetrievalOptions

        if by not in ("chunk", "document"):
            raise UsageError(f"--by {by!r} is not known.", "Use --by chunk or --by document.")
        return RetrievalOptions.of(
            self._session.settings.retrieval,
            by=cast("By", by),
            filter=parse(filter_by or []),
            cwd=self._session.cwd,
            explain=explain,
        )


def check_fingerprint(session: Session, collection: Collection) -> None:
    """Raise FingerprintMismatch when the collection was built with another embedder or splitter."""
    from ragcli.index import fingerprint
    from ragcli.ingest.rebuild import current_fingerprint, splitter_options

    info = session.embedder_info
    options = splitter_options(session.settings.splitter, info)
    fingerprint.check(collection.ledger, current_fingerprint(info, options))


def one_shot(session: Session, paths: Iterable[Path]) -> Collection:
    """A collection in the cache that holds exactly these paths, brought level with them.

    Raises UsageError when none of them could be read.
    """
    from ragcli.cli.progress import TerminalProgress
    from ragcli.index.collection import Collection
    from ragcli.settings import Store

    folder = session.cache_dir / "one-shot"
    wanted = sorted({session.absolute(path) for path in paths})
    _forget_old(folder / "collections")
    name = _one_shot_name(wanted, session)
    # What is asked once stays on this machine, wherever the collections have their vectors.
    settings = session.settings.model_copy(update={"store": Store()})
    collection = Collection.open(folder, name, settings, create=True)
    os.utime(collection.directory)
    with TerminalProgress(session.out) as progress:
        report = session.ingest_into(collection, wanted, progress)
    if report.interrupted:
        raise KeyboardInterrupt
    for path, error in report.failed:
        session.out.warn(f"{path}: {error}")
    if not report.chunks:
        raise UsageError(
            "Nothing in these paths could be read.", "See why: ragcli ingest -v PATH..."
        )
    return collection


def _one_shot_name(paths: Iterable[Path], session: Session) -> str:
    parts = [session.embedder_info.fingerprint, repr(session.settings.splitter), *map(str, paths)]
    joined = "\0".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joined).hexdigest()[:32]


def _forget_old(folder: Path) -> None:
    oldest = time.time() - ONE_SHOT_DAYS * 86_400
    for collection in folder.glob("*"):
        if collection.stat().st_mtime < oldest:
            shutil.rmtree(collection, ignore_errors=True)

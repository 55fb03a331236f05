"""Evaluates what this command line would do: opens the collection, asks every question, measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.answer import Answer
    from ragcli.cli.opening import Asking
    from ragcli.cli.progress import TerminalProgress
    from ragcli.cli.session import Session
    from ragcli.evaluate.answers import Judged
    from ragcli.evaluate.evaluation import Evaluation
    from ragcli.evaluate.gold import Gold
    from ragcli.evaluate.metrics import Measure
    from ragcli.evaluate.questions import Item, Problem, QuestionSet
    from ragcli.evaluate.run import Measured
    from ragcli.index.collection import Collection
    from ragcli.retrieve.options import Mode

RERANKED = "reranked"
MODES: tuple[str, ...] = ("hybrid", "dense", "lexical")
"""Ways to search; `RERANKED` is one more: the configured one, with a reranker behind it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure: ways to search, measures, whether answers too, and the documents that count.

    Without `modes`, the configured one.
    """

    modes: Sequence[str]
    measures: Sequence[Measure]
    answers: bool = False
    inside: Sequence[Path] = ()
    filter_by: Sequence[str] = field(default_factory=list)


def evaluate(
    session: Session,
    questions: QuestionSet,
    wanted: Wanted,
    progress: TerminalProgress,
    name: str = "",
) -> tuple[Evaluation, Path]:
    """Measure the system that a session configures; also the folder of its collection."""
    from ragcli.evaluate.evaluation import Evaluation

    usual = configured(session)
    chosen = wanted.modes or [usual]
    if RERANKED in chosen:
        session.choose_reranker(True)
    with session.asking(wanted.inside) as asking:
        collection = asking.collection
        searched = {_way(session, mode) for mode in chosen}
        _check(session, collection, searched)
        golds, problems = _resolved(session, questions, collection)
        modes: dict[str, Measured] = {}
        for mode in chosen:
            progress.phase(f"{name} {mode}".strip(), sum(bool(g.grades) for g in golds.values()))
            modes[mode] = _searched(session, collection, questions, golds, mode, wanted, progress)
        answers = None
        if wanted.answers:
            _warm(session, asking, questions.items[0])
            answers = _answered(asking, questions, golds, wanted, progress)
        system = {**session.stack_json(), "chunks": collection.ledger.coverage().chunks}
    if searched != {"lexical"}:
        system["embedder"] = session.embedder_info.model
    return Evaluation(
        name,
        system,
        usual if usual in modes else chosen[0],
        modes,
        answers,
        problems,
        list(dict.fromkeys(text for measured in modes.values() for text in measured.warnings)),
    ), collection.directory


def configured(session: Session) -> str:
    """The way that questions are asked without a flag."""
    return RERANKED if session.reranker_name else session.settings.retrieval.mode


def _way(session: Session, mode: str) -> Mode:
    """Which indexes answer in this mode."""
    return session.settings.retrieval.mode if mode == RERANKED else cast("Mode", mode)


def _check(session: Session, collection: Collection, modes: Set[Mode]) -> None:
    from ragcli.cli.opening import check_fingerprint

    if not collection.words:
        raise UsageError(
            "An evaluation needs the ledger of the collection, which is not on this machine.",
            "Run it where the documents were ingested.",
        )
    if modes != {"lexical"}:
        check_fingerprint(session, collection)


def _resolved(
    session: Session, questions: QuestionSet, collection: Collection
) -> tuple[dict[str, Gold], list[Problem]]:
    from ragcli.evaluate.gold import resolve

    folder = questions.path.absolute()
    golds, problems = resolve(questions.items, collection.ledger, [session.cwd, folder.parent])
    expecting = [gold for gold in golds.values() if gold.targets]
    if expecting and not any(target.documents for gold in expecting for target in gold.targets):
        corpus = questions.path / "corpus.jsonl" if questions.kind == "beir" else "PATH..."
        raise UsageError(
            f"No document that {questions.name} expects is in the collection {collection.name!r}.",
            f"Ingest them: ragcli ingest {corpus}",
        )
    return golds, problems


def _searched(
    session: Session,
    collection: Collection,
    questions: QuestionSet,
    golds: dict[str, Gold],
    mode: str,
    wanted: Wanted,
    progress: TerminalProgress,
) -> Measured:
    from ragcli.evaluate.run import measure
    from ragcli.retrieve.filters import parse
    from ragcli.retrieve.options import RetrievalOptions

    options = RetrievalOptions.of(
        session.settings.retrieval, filter=parse(list(wanted.filter_by)), cwd=session.cwd
    )
    return measure(
        collection,
        lambda: session.embedder,
        questions.items,
        golds,
        replace(options, mode=_way(session, mode)),
        wanted.measures,
        progress.advance,
        (lambda: session.reranker) if mode == RERANKED else None,
    )


def _answered(
    asking: Asking,
    questions: QuestionSet,
    golds: dict[str, Gold],
    wanted: Wanted,
    progress: TerminalProgress,
) -> Judged:
    from ragcli.evaluate.answers import judge

    progress.phase("answers", len(questions.items))
    return judge(_answers(asking, questions, wanted), golds, progress.advance)


def _answers(
    asking: Asking, questions: QuestionSet, wanted: Wanted
) -> Iterator[tuple[Item, Answer]]:
    from ragcli.cli.asking import Question

    asked = (Question(item.text, item.id) for item in questions.items)
    found = asking.answer(asked, filter_by=list(wanted.filter_by), explain=False)
    for item, (_, answer) in zip(questions.items, found, strict=True):
        yield item, answer


def _warm(session: Session, asking: Asking, item: Item) -> None:
    """Load what the answers need, so that the first of them takes no longer than the others."""
    from ragcli.cli.asking import Question

    if session.llm.name is not None:
        _ = session.llm.ready
    for _ in asking.search([Question(item.text)], by="chunk", filter_by=None, explain=False):
        pass

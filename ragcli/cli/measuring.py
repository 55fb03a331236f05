"""Evaluates what this command line would do: opens the collection, asks every question, measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.cli.progress import TerminalProgress
    from ragcli.cli.session import Session
    from ragcli.evaluate.evaluation import Evaluation
    from ragcli.evaluate.gold import Gold
    from ragcli.evaluate.metrics import Measure
    from ragcli.evaluate.questions import Problem, QuestionSet
    from ragcli.evaluate.run import Measured
    from ragcli.index.collection import Collection
    from ragcli.retrieve.options import Mode

MODES: tuple[Mode, ...] = ("hybrid", "dense", "lexical")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure: ways to search, measures, and the documents that count."""

    modes: Sequence[Mode]
    measures: Sequence[Measure]
    inside: Sequence[Path] = ()
    filter_by: Sequence[str] = field(default_factory=list)


def evaluate(
    session: Session,
    questions: QuestionSet,
    wanted: Wanted,
    progress: TerminalProgress,
    name: str = "",
) -> Evaluation:
    """Measure the system that a session configures on a question set."""
    from ragcli.cli.opening import check_fingerprint
    from ragcli.evaluate.evaluation import Evaluation

    with session.asking(wanted.inside) as asking:
        collection = asking.collection
        if not collection.words:
            raise UsageError(
                "An evaluation needs the ledger of the collection, which is not on this machine.",
                "Run it where the documents were ingested.",
            )
        if set(wanted.modes) != {"lexical"}:
            check_fingerprint(session, collection)
        golds, problems = _resolved(session, questions, collection)
        modes: dict[str, Measured] = {}
        for mode in wanted.modes:
            progress.phase(f"{name} {mode}".strip(), len(questions.items))
            modes[mode] = _searched(session, collection, questions, golds, mode, wanted, progress)
        system = {**session.stack_json(), "chunks": collection.ledger.coverage().chunks}
    configured = session.settings.retrieval.mode
    return Evaluation(
        name, system, configured if configured in modes else wanted.modes[0], modes, problems
    )


def _resolved(
    session: Session, questions: QuestionSet, collection: Collection
) -> tuple[dict[str, Gold], list[Problem]]:
    from ragcli.evaluate.gold import resolve

    folder = questions.path.absolute()
    golds, problems = resolve(questions.items, collection.ledger, [session.cwd, folder.parent])
    expecting = [gold for gold in golds.values() if gold.targets]
    if expecting and not any(target.documents for gold in expecting for target in gold.targets):
        corpus = folder / "corpus.jsonl" if questions.kind == "beir" else "PATH..."
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
    mode: Mode,
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
        replace(options, mode=mode),
        wanted.measures,
        progress.advance,
    )

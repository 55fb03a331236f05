"""`ragcli query QUESTION`: an answer from the documents, with citations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.asking import Question, asked
from ragcli.cli.options import (
    Batch,
    Common,
    Explain,
    FilterBy,
    In,
    Jsonl,
    Llm,
    MinScore,
    Mode,
    Rerank,
    Stream,
    TopK,
)
from ragcli.cli.output import clean
from ragcli.cli.render import (
    citation_json,
    hit_json,
    print_hits,
    sentence_json,
    snippet,
    source_line,
)
from ragcli.cli.session import Session
from ragcli.cli.streaming import AnswerStream
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.answer import Answer

NEAREST = 3


def query(
    common: Common,
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", help="What to answer; - is stdin.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    inside: In = None,
    top_k: TopK = None,
    mode: Mode = None,
    rerank: Rerank = None,
    filter_by: FilterBy = None,
    min_score: MinScore = None,
    llm: Llm = None,
    stream: Stream = None,
    hits: Annotated[bool, typer.Option("--hits", help="Show the hits beside the answer.")] = False,
    explain: Explain = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 4 when a sentence is not supported.")
    ] = False,
    batch: Batch = None,
    jsonl: Jsonl = False,
) -> None:
    """Answer a question from the documents, with citations."""
    session = Session(common, os.environ, Path.cwd())
    request = asked(question, more, inside, batch, jsonl)
    session.config.override(
        retrieval__top_k=top_k, retrieval__mode=mode, retrieval__min_score=min_score
    )
    session.choose_reranker(rerank)
    _choose(session, llm)
    session.out.json = session.out.json or jsonl
    live = _live(session, stream, batch=request.batch)
    show_hits = hits or explain
    answered = unsupported = 0
    warned: set[str] = set()
    try:
        with session.asking(request.paths) as asking:
            found = asking.answer(
                request.questions, filter_by=filter_by, explain=explain, on_text=live
            )
            for number, (item, answer) in enumerate(found):
                answered += answer.status == "answered"
                unsupported += answer.unsupported
                if not request.batch and not request.paths:
                    asking.remember(item, answer)
                if session.out.json:
                    session.out.record(_json(session, item, answer, show_hits, explain))
                    continue
                if request.batch:
                    session.out.data(("\n" if number else "") + session.out.bold(item.text))
                _warn(session, answer, warned)
                _print(session, answer, live, show_hits, explain)
    finally:
        if live is not None:
            live.end()
    if not answered:
        raise typer.Exit(3)
    if strict and unsupported:
        raise typer.Exit(4)


def _choose(session: Session, llm: str | None) -> None:
    """Take the model that `--llm` names, or none."""
    if llm is None:
        return
    from ragcli.llms.naming import NONE, parse

    use, model = parse(llm)
    session.config.override(llm__use=use, llm__model=model)
    if use != NONE and session.settings.answer.use == "quote":
        raise UsageError(
            "--llm names a model to write, but answer.use is quote.",
            "Add --set answer.use=auto, or leave --llm out.",
        )


def _live(session: Session, stream: bool | None, *, batch: bool) -> AnswerStream | None:
    """Where to show an answer while it is written, if that is wanted."""
    if stream and batch:
        raise UsageError("--stream shows one answer.", "Leave it out with --batch.")
    wanted = session.out.terminal and not batch if stream is None else stream
    return AnswerStream(session.out) if wanted and not session.out.json else None


def _json(
    session: Session, item: Question, answer: Answer, hits: bool, explain: bool
) -> dict[str, Any]:
    shown = [
        hit_json(hit, rank, session.cwd, explain=explain) for rank, hit in enumerate(answer.hits, 1)
    ]
    return {
        "schema": "ragcli.query/1",
        "question": item.text,
        **({"id": item.id} if item.id is not None else {}),
        "status": answer.status,
        "answer": answer.text,
        "answer_kind": answer.kind,
        "citations": [citation_json(citation, session.cwd) for citation in answer.citations],
        "sentences": [sentence_json(sentence) for sentence in answer.sentences],
        **({"hits": shown} if hits else {}),
        **session.stack_json(),
        "timings_ms": answer.timings_ms,
        "warnings": answer.warnings,
    }


def _warn(session: Session, answer: Answer, warned: set[str]) -> None:
    """Warnings that were not given before."""
    for warning in answer.warnings:
        if warning not in warned:
            session.out.warn(warning)
            warned.add(warning)


def _print(
    session: Session, answer: Answer, live: AnswerStream | None, hits: bool, explain: bool
) -> None:
    out = session.out
    if answer.status == "answered":
        if live is not None and live.shown:
            live.end()
        else:
            out.data(clean(answer.text or ""))
        out.data("")
        for citation in answer.citations:
            place = source_line(citation.chunk, citation.place, session.cwd)
            out.data(f"[{citation.n}] {place}")
        for sentence in answer.sentences:
            if sentence.supported is False:
                out.note(f"not supported: {snippet(sentence.text, 60)} ({sentence.reason})")
    else:
        _print_nothing_found(session, answer)
    if hits:
        out.data("")
        print_hits(out, answer.hits, session.cwd, explain=explain)


def _print_nothing_found(session: Session, answer: Answer) -> None:
    out = session.out
    out.note("The documents do not contain an answer.")
    for hit in answer.hits[:NEAREST]:
        place = source_line(hit.chunk, hit.chunk.place(), session.cwd)
        out.note(f"  near: {place}\n        {snippet(hit.chunk.text, 100)}")
    if answer.reason:
        out.note(answer.reason)

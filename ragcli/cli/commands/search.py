"""`ragcli search QUESTION`: hits without an answer, never an LLM."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.asking import Question, asked
from ragcli.cli.options import (
    Batch,
    By,
    Common,
    Explain,
    FilterBy,
    In,
    Jsonl,
    MinScore,
    Mode,
    Rerank,
    TopK,
)
from ragcli.cli.render import hit_json, print_hits
from ragcli.cli.session import Session

if TYPE_CHECKING:
    from ragcli.retrieve.search import SearchResult


def search(
    common: Common,
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", help="What to look for; - is stdin.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    inside: In = None,
    by: By = "chunk",
    top_k: TopK = None,
    mode: Mode = None,
    rerank: Rerank = None,
    filter_by: FilterBy = None,
    min_score: MinScore = None,
    explain: Explain = False,
    batch: Batch = None,
    jsonl: Jsonl = False,
) -> None:
    """Print the hits for a question, best first; never an answer."""
    session = Session(common, os.environ, Path.cwd())
    request = asked(question, more, inside, batch, jsonl)
    session.config.override(
        retrieval__top_k=top_k, retrieval__mode=mode, retrieval__min_score=min_score
    )
    session.choose_reranker(rerank)
    session.out.json = session.out.json or jsonl
    with session.asking(request.paths) as asking:
        found = asking.search(request.questions, by=by, filter_by=filter_by, explain=explain)
        for number, (item, result) in enumerate(found):
            if session.out.json:
                session.out.record(_json(session, item, result, explain))
                continue
            for warning in result.warnings if number == 0 else []:
                session.out.warn(warning)
            if request.batch:
                session.out.data(("\n" if number else "") + session.out.bold(item.text))
            print_hits(session.out, result.hits, session.cwd, explain=explain)


def _json(session: Session, item: Question, result: SearchResult, explain: bool) -> dict[str, Any]:
    hits = [
        hit_json(hit, rank, session.cwd, explain=explain) for rank, hit in enumerate(result.hits, 1)
    ]
    return {
        "schema": "ragcli.search/1",
        "question": item.text,
        **({"id": item.id} if item.id is not None else {}),
        "hits": hits,
        **session.stack_json(),
        "llm": None,
        "timings_ms": result.timings_ms,
        "warnings": result.warnings,
    }

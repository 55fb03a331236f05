"""`ragcli feedback good|bad`: what people say of answers, for a question set of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ragcli.cli.files import check_new, write_new
from ragcli.cli.options import Common
from ragcli.cli.output import clean, to_json
from ragcli.cli.render import snippet
from ragcli.cli.session import Session
from ragcli.errors import UsageError

ACTIONS = ("good", "bad", "list", "export")


def feedback(
    common: Common,
    action: Annotated[
        str, typer.Argument(metavar="good|bad|list|export", help="What to say, or to show.")
    ],
    query: Annotated[
        str | None, typer.Option("--query", metavar="ID", help="Which answer; the last one if not.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="With export: where to.")
    ] = None,
) -> None:
    """Say whether an answer was good, and turn what was said into a question set."""
    from ragcli.evaluate.feedback import Verdict, judge, judged, kept, rows

    if action not in ACTIONS:
        raise UsageError(f"There is no {action!r}.", f"Use one of: {', '.join(ACTIONS)}.")
    session = Session(common, os.environ, Path.cwd())
    file = None if output is None else session.cwd / output.expanduser()
    if file is not None and action == "export":
        check_new(file)
    with session.collection() as collection:
        folder = collection.directory
    remember = session.settings.remember
    if action in ("good", "bad"):
        record = judge(folder, cast("Verdict", action), query, remember)
        session.out.note(f"{action}: {snippet(record['question'], 80)}")
    elif action == "list":
        _list(session, kept(folder, remember))
    else:
        lines = [to_json(row) for row in rows(judged(folder))]
        if file is not None:
            write_new(file, lines)
        for line in lines if file is None else []:
            session.out.data(line)


def _list(session: Session, records: list[dict[str, Any]]) -> None:
    if session.out.json:
        session.out.record({"schema": "ragcli.feedback/1", "answers": records})
        return
    for record in records:
        said = snippet(record["answer"] or "(no answer)", 60)
        asked = snippet(record["question"], 60)
        session.out.data(
            clean(f"{record['query']}  {record['time']}  {asked}  ->  {said}", one_line=True)
        )

"""Remembers the last answers beside their collection, and what people say of them.

`answers.jsonl` has the last questions with what was answered and cited, `feedback.jsonl` those that
were judged; both are readable by their owner alone and stay on this machine. Judged answers become
rows of a question set.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.answer import Answer

ANSWERS = "answers.jsonl"
FEEDBACK = "feedback.jsonl"
SLACK = 2
"""The file of answers may hold this many times what is kept before it is written anew."""

Verdict = Literal["good", "bad"]
Record = dict[str, Any]


def keep(folder: Path, question: str, answer: Answer, limit: int) -> None:
    """Remember an answer among the last `limit`; raises OSError where that cannot be written."""
    record = {
        "query": uuid.uuid4().hex[:8],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "question": question,
        "answer": answer.text,
        "cited": [
            {
                "document": citation.chunk.path,
                "doc_id": citation.chunk.doc_id,
                "page": citation.place.page,
                "lines": citation.place.lines,
                "quote": citation.quote,
            }
            for citation in answer.citations
        ],
    }
    path = folder / ANSWERS
    _append(path, record)
    records = _read(path)
    if len(records) > SLACK * limit:
        _replace(path, records[-limit:])


def kept(folder: Path, limit: int) -> list[Record]:
    """The last answers, oldest first."""
    return _read(folder / ANSWERS)[-limit:] if limit else []


def judge(folder: Path, verdict: Verdict, query: str | None, limit: int) -> Record:
    """Say of the last answer, or the one called `query`, that it is good or bad.

    Raises UsageError where no such answer is remembered, OSError where it cannot be written.
    """
    answers = kept(folder, limit)
    found = [one for one in answers if query is None or one["query"] == query]
    if not found:
        raise UsageError(
            "No such answer is remembered." if query else "No answer is remembered.",
            "See: ragcli feedback list; answers are kept where the setting remember is above 0.",
        )
    record = {**found[-1], "verdict": verdict}
    _append(folder / FEEDBACK, record)
    return record


def judged(folder: Path) -> list[Record]:
    """What was judged, once for each answer: the last word counts."""
    return list({one["query"]: one for one in _read(folder / FEEDBACK)}.values())


def rows(records: list[Record]) -> list[Record]:
    """Rows of a question set: what a good answer cited is expected, at a bad one a person must say."""
    return [
        {
            "id": record["query"],
            "question": record["question"],
            **_expected(record),
            "made": f"feedback {record['verdict']}",
        }
        for record in records
    ]


def _expected(record: Record) -> Record:
    cited = record["cited"]
    if record["verdict"] == "good" and not cited:
        return {"document": None, "answers": []}
    if record["verdict"] == "bad":
        return {"document": None, "answer": None}
    first = cited[0]
    if len({(one["document"], one["doc_id"]) for one in cited}) > 1:
        records = [one["doc_id"] or one["document"] for one in cited]
        return {"documents": list(dict.fromkeys(records)), "answer": first["quote"]}
    lines = None if first["doc_id"] else first["lines"]
    return {name: first[name] for name in ("document", "doc_id", "page")} | {
        "lines": lines,
        "answer": first["quote"],
    }


def _read(path: Path) -> list[Record]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and {"query", "question", "cited"} <= record.keys():
            found.append(record)
    return found


def _append(path: Path, record: Record) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    _write(os.open(path, flags, 0o600), [record])


def _replace(path: Path, records: list[Record]) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        _write(os.open(new, flags, 0o600), records)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _write(handle: int, records: list[Record]) -> None:
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("".join(json.dumps(record) + "\n" for record in records))

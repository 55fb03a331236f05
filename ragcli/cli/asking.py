"""What `query` and `search` share: the questions, where they are asked, and the retrieval options."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.errors import UsageError

_QUESTION_KEYS = ("question", "query", "text")
_ID_KEYS = ("id", "_id", "query_id")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the id that a line of a batch file gave it."""

    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for, checked."""

    questions: Iterator[Question]
    batch: bool
    paths: list[Path]


def asked(
    question: str | None,
    more: list[str] | None,
    inside: list[Path] | None,
    batch: Path | None,
    jsonl: bool,
) -> Asked:
    """Sort out what was typed: words after the question are paths of --in, or a missing quote."""
    words = list(more or [])
    if batch is not None and question is not None:
        if not inside:
            raise UsageError(
                "Give a question or --batch FILE, not both.", "See: ragcli query --help"
            )
        words, question = [question, *words], None
    if words and not inside:
        quoted = " ".join([question or "", *words])
        raise UsageError(
            "The question is more than one word.", f'Quote it: ragcli query "{quoted}"'
        )
    if jsonl and batch is None:
        raise UsageError("--jsonl needs --batch FILE.", "For one question use --json.")
    paths = [*(inside or []), *map(Path, words)]
    if batch is not None:
        return Asked(_batch(batch), True, paths)
    if question is None:
        raise UsageError(
            "There is no question.", 'For example: ragcli query "How do I install it?"'
        )
    if inside and _names_a_file(question):
        raise UsageError(
            f"{question!r} is a file, not a question.", "Put the question before --in."
        )
    text = sys.stdin.read() if question == "-" else question
    return Asked(iter([Question(_checked(text))]), False, paths)


def _names_a_file(question: str) -> bool:
    try:
        return Path(question).exists()
    except (OSError, ValueError):
        # Too long for a name, or with a character that none has.
        return False


def _checked(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    if not text:
        raise UsageError(
            "The question is empty.", 'For example: ragcli query "How do I install it?"'
        )
    return text


def _batch(file: Path) -> Iterator[Question]:
    if str(file) != "-" and not file.is_file():
        raise UsageError(
            f"There is no file {file}.", "--batch takes a file with one question a line."
        )
    # A file is read to its end before the first answer; what is piped in is answered as it comes.
    return _lines(file) if str(file) == "-" else iter(list(_lines(file)))


def _lines(file: Path) -> Iterator[Question]:
    stream = sys.stdin if str(file) == "-" else file.open(encoding="utf-8-sig", errors="replace")
    with stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield _parse(line.strip(), f"{file}:{number}")


def _parse(line: str, where: str) -> Question:
    if not line.startswith("{"):
        return Question(_checked(line))
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:
        return Question(_checked(line))
    text = next((record[key] for key in _QUESTION_KEYS if isinstance(record.get(key), str)), None)
    if text is None:
        keys = ", ".join(_QUESTION_KEYS)
        raise UsageError(f"{where} has no question.", f"A JSON line needs one of the keys {keys}.")
    identity = next((record[key] for key in _ID_KEYS if key in record), None)
    return Question(_checked(text), None if identity is None else str(identity))

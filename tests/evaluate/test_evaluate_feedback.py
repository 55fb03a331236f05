"""Only the last answers are kept, and the last word on each of them counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragcli.answer.result import Answer
from ragcli.errors import UsageError
from ragcli.evaluate.feedback import ANSWERS, SLACK, judge, judged, keep, kept, rows


def test_no_more_is_kept_than_wanted(tmp_path: Path) -> None:
    for number in range(25):
        keep(tmp_path, f"question {number}?", Answer("not_found"), 5)
        assert len((tmp_path / ANSWERS).read_text().splitlines()) <= SLACK * 5
    assert [one["question"] for one in kept(tmp_path, 5)] == [
        f"question {n}?" for n in range(20, 25)
    ]
    assert kept(tmp_path, 0) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [ANSWERS]


def test_the_last_word_counts_and_silence_can_be_right(tmp_path: Path) -> None:
    keep(tmp_path, "Which bus?", Answer("not_found"), 5)
    judge(tmp_path, "bad", None, 5)
    judge(tmp_path, "good", None, 5)
    (row,) = rows(judged(tmp_path))
    assert (row["question"], row["answers"], row["made"]) == ("Which bus?", [], "feedback good")
    with pytest.raises(UsageError, match="No such answer"):
        judge(tmp_path, "good", "unknown", 5)

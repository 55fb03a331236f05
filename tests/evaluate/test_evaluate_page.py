"""A report runs nothing, loads nothing and shows hostile text as text; results are kept privately."""

from __future__ import annotations

import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ragcli.errors import UsageError
from ragcli.evaluate.answers import ANSWERED, CITED_PRECISION, SILENT_RECALL, Judged
from ragcli.evaluate.evaluation import Evaluation, set_json
from ragcli.evaluate.floors import Floor, below, check
from ragcli.evaluate.history import FILE, remember, remembered, way
from ragcli.evaluate.page import comparison, report
from ragcli.evaluate.questions import Item, QuestionSet
from ragcli.evaluate.run import Measured
from ragcli.evaluate.versus import versus

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
SYSTEM = {
    "collection": HOSTILE, "embedder": HOSTILE,
    "store": "s", "llm": None, "top_k": 4, "chunks": 9,
}  # fmt: skip
QUESTIONS = QuestionSet(
    HOSTILE, Path("set"), "jsonl", None, [Item(f"{at}{HOSTILE}", HOSTILE) for at in range(40)]
)


def evaluation(name: str, good: float) -> Evaluation:
    ids = [item.id for item in QUESTIONS.items]
    values = {id: good if at % 4 else 0.0 for at, id in enumerate(ids)}
    ranks = {id: (1 if good > 0.5 else 7) if at % 4 else None for at, id in enumerate(ids)}
    measured = Measured({"nDCG@10": values}, dict.fromkeys(ids, 5.0), ranks)
    return Evaluation(name, SYSTEM, "hybrid", {"hybrid": measured})


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def facts(found: Evaluation) -> dict:
    return {"set": set_json(QUESTIONS, []), **found.as_json()}


def test_pages_hold_no_script_and_load_nothing() -> None:
    one, other = evaluation(HOSTILE, 0.3), evaluation("b", 0.9)
    past = [{"modes": {"hybrid": {"nDCG@10": value}}} for value in (0.2, 0.3)]
    compared = versus(QUESTIONS, one, other, 4)
    pages = [report(QUESTIONS, one, facts(one), past), comparison(QUESTIONS, compared)]
    for page in pages:
        tags = Tags()
        tags.feed(page)
        assert {"svg", "table", "h1", "rect"} <= tags.tags
        assert not tags.tags & {"script", "img", "link", "iframe", "object", "a", "base"}
        assert not [name for name in tags.attributes if name.startswith("on")]
        assert not tags.attributes & {"src", "href"}
        assert "default-src 'none'" in page
        assert "://" not in page
        assert "&lt;script&gt;" in page


def test_a_comparison_says_better_and_lists_what_flipped() -> None:
    compared = versus(QUESTIONS, evaluation("a", 0.3), evaluation("b", 0.9), 4)
    assert compared.verdict.startswith("b is better than a: nDCG@10 0.225 against 0.675")
    assert len(compared.flips) == 30
    assert all(flip.gained and (flip.a, flip.b) == (7, 1) for flip in compared.flips)
    back = versus(QUESTIONS, evaluation("b", 0.9), evaluation("a", 0.3), 4)
    assert back.verdict.startswith("a is worse than b")
    same = versus(QUESTIONS, evaluation("a", 0.3), evaluation("c", 0.3), 4)
    assert "no difference that this set can show" in same.verdict
    assert same.flips == []


def test_measures_without_a_question_that_both_have_are_left_out_of_a_comparison() -> None:
    answers = {"Abstention precision": {"1": 1.0}, SILENT_RECALL: {"1": 1.0}, "Holds answer": {}}
    sides = [
        Evaluation(name, SYSTEM, "hybrid", {"hybrid": Measured({"nDCG@10": {}})}, Judged(answers))
        for name in "ab"
    ]
    nothing = QuestionSet("n", Path("n"), "jsonl", None, [Item("1", "?", answers=())])
    compared = versus(nothing, *sides, 4)
    assert list(compared.differences) == [SILENT_RECALL, "Abstention precision"]
    assert "Abstention recall 1.000 against 1.000" in compared.verdict
    assert "1 questions" in compared.verdict
    assert "Nothing was to be found" in report(nothing, sides[0], sides[0].as_json(), [])


def test_floors() -> None:
    found = evaluation("a", 0.8)
    floors = [Floor.read(text) for text in ("ndcg@10=0.6", "hybrid:nDCG@10=0.61", "nDCG@10 = .2")]
    assert [str(floor) for floor, _ in below(floors, found)] == ["hybrid:nDCG@10"]
    assert Floor.read("citation-recall=0.5").measure == "Citation recall"
    for text in ("nDCG@10", "nDCG@10=x", "=3", "magic=0.5", "nDCG@10=nan", "nDCG@10=-inf"):
        with pytest.raises(UsageError):
            Floor.read(text)


def test_a_floor_under_nothing_is_refused_before_anything_is_measured() -> None:
    items = [Item("1", "?", answers=("yes",)), Item("2", "?", answers=())]

    def refused(text: str, some: list[Item] = items, answers: bool = True) -> str:
        with pytest.raises(UsageError) as caught:
            check([Floor.read(text)], ["dense"], some, answers=answers)
        return f"{caught.value.message} {caught.value.fix}"

    good = ["dense:MAP=1", "F1=1", "Answered=1", "abstention recall=1", "abstention precision=1"]
    check([Floor.read(text) for text in good], ["dense"], items, answers=True)
    assert "Measured: dense." in refused("hybird:nDCG@10=0")
    assert "Measured: dense." in refused("hybrid:nDCG@10=0")
    assert "--answers" in refused("F1=0", answers=False)
    assert "'F1=0.5'" in refused("dense:F1=0.5")
    assert "no question" in refused("F1=0", items[1:])
    assert "no question" in refused("Citation precision=0", items[1:])
    assert "no question" in refused("nDCG@10=0", items[1:])
    assert "no question" in refused("Abstention recall=0", items[:1])


def test_a_floor_under_what_no_question_came_to_be_about_is_not_reached() -> None:
    found = evaluation("a", 0.8)
    found.answers = Judged({CITED_PRECISION: {}, ANSWERED: {"1": 1.0}})
    floors = [Floor.read(text) for text in ("Citation precision=0", "Answered=0.5")]
    assert below(floors, found) == [(floors[0], None)]


def test_history_is_private_and_survives_a_torn_line(tmp_path: Path) -> None:
    found = facts(evaluation("a", 0.8))
    remember(tmp_path, found)
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open("a") as stream:
        stream.write('{"time": "cut')
    remember(tmp_path, found)
    records = remembered(tmp_path)
    assert [record["modes"]["hybrid"]["nDCG@10"] for record in records] == [0.6, 0.6]
    assert HOSTILE not in str(records[0]["modes"])
    remember(tmp_path, found, "retrieval.top_k=8")
    remember(tmp_path, found, "hybrid")
    told = [way(record) for record in remembered(tmp_path)]
    assert told == ["hybrid", "hybrid", "hybrid (retrieval.top_k=8)", "hybrid"]
    assert remembered(tmp_path / "absent") == []

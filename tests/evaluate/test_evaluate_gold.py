"""What a question expects is found in a collection by path, record, page, line and answer."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from desk import Desk, desk_at

from ragcli.evaluate import timing
from ragcli.evaluate.answers import judge
from ragcli.evaluate.gold import Gold, resolve, says
from ragcli.evaluate.making import defined, make
from ragcli.evaluate.metrics import Measure
from ragcli.evaluate.questions import Expected, Item
from ragcli.evaluate.run import measure
from ragcli.evaluate.timing import latency
from ragcli.retrieve.options import RetrievalOptions
from ragcli.types import Hit

GUIDE = """# Guide

The lathe is a machine that turns wood against a still blade.

## Keys

The steward keeps the spare keys in the blue box beside the door.

## Fees

Reduced members pay twenty two euros for every month of the year.
"""
ASKED = "the steward keeps the spare keys in the blue box beside the door"
RECORDS = (
    '{"_id": "r1", "title": "Lathe", "text": "A lathe turns wood for every turner."}\n'
    '{"_id": "r2", "title": "Saw", "text": "A saw cuts wood along a drawn line."}\n'
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = desk_at(tmp_path)
    desk.write("guide.md", GUIDE)
    desk.write("sub/records.jsonl", RECORDS)
    desk.write("sub/other.md", "# Other\n\nNothing of this is about machines or about keys.\n")
    desk.ingest()
    return desk


def golds(desk: Desk, *items: Item) -> tuple[dict[str, Gold], list[str]]:
    with desk.collection() as collection:
        found, problems = resolve(items, collection.ledger, [desk.folder])
    return found, [str(problem) for problem in problems]


@pytest.mark.parametrize("name", ["guide.md", "docs/guide.md", "./guide.md", "sub/../guide.md"])
def test_a_document_is_known_by_the_end_of_its_path(desk: Desk, name: str) -> None:
    found, problems = golds(desk, Item("q", "?", (Expected(name),)))
    assert len(found["q"].targets[0].documents) == 1
    assert not problems
    assert golds(desk, Item("q", "?", (Expected(str(desk.folder / "guide.md")),)))[1] == []


def test_records_are_known_by_id_and_a_file_of_them_is_all_of_them(desk: Desk) -> None:
    places = (Expected("r1"), Expected("records.jsonl"), Expected("sub/records.jsonl", "r2"))
    found, _ = golds(desk, Item("q", "?", places))
    assert [len(target.documents) for target in found["q"].targets] == [1, 2, 1]


def test_what_is_not_there_is_named(desk: Desk) -> None:
    item = Item("q", "?", (Expected("uide.md"), Expected("r9")), file="set.csv", line=4)
    found, problems = golds(desk, item)
    assert problems == [
        "set.csv:4: the document 'uide.md' is not in the collection",
        "set.csv:4: the document 'r9' is not in the collection",
    ]
    assert found["q"].grades == {"expected 0": 1, "expected 1": 1}


def test_pages_and_lines_that_are_not_there_are_named(desk: Desk) -> None:
    places = (
        Expected("guide.md", lines=(7, 7)), Expected("guide.md", lines=(900, 910)),
        Expected("guide.md", pages=(3,)), Expected("guide.md", pages=(3, 4), lines=(7, 7)),
    )  # fmt: skip
    items = [Item(f"q{at}", "?", (place,), file="s", line=at) for at, place in enumerate(places)]
    assert golds(desk, *items)[1] == [
        "s:1: the document 'guide.md' has no text on lines 900-910",
        "s:2: the document 'guide.md' has no text on page 3",
        "s:3: the document 'guide.md' has no text on page 3 or 4, lines 7-7",
    ]


def test_lines_and_answers_tell_chunks_apart(desk: Desk) -> None:
    by_lines = Item("lines", "?", (Expected("guide.md", lines=(7, 7)),))
    by_answer = Item("answer", "?", answers=("the BLUE box,",))
    nowhere = Item("nowhere", "?", (Expected("guide.md", lines=(90, 91)),))
    found, _ = golds(desk, by_lines, by_answer, nowhere)
    with desk.collection() as collection:
        chunks = collection.ledger.chunks(range(1, 50)).values()
        held = {
            name: [chunk.heading[-1] for chunk in chunks if gold.ranking([Hit(chunk, 1)])[0] in gold.grades]
            for name, gold in found.items()
        }  # fmt: skip
    assert held == {"lines": ["Keys"], "answer": ["Keys"], "nowhere": []}


def test_a_ranking_counts_what_is_found_once(desk: Desk) -> None:
    item = Item("q", "?", (Expected("guide.md"), Expected("r2")))
    gold = golds(desk, item)[0]["q"]
    with desk.collection() as collection:
        chunks = list(collection.ledger.chunks(range(1, 50)).values())
    guide = [Hit(chunk, 1) for chunk in chunks if chunk.path.endswith("guide.md")]
    other = [Hit(chunk, 1) for chunk in chunks if chunk.path.endswith("other.md")]
    saw = [Hit(chunk, 1) for chunk in chunks if chunk.doc_id == "r2"]
    assert len(guide) == 3
    names = gold.ranking([*other, *guide, *saw])
    assert names == ["other 0", "expected 0", "expected 1"]


def test_a_copy_that_a_hit_stands_for_is_found(desk: Desk) -> None:
    gold = golds(desk, Item("q", "?", (Expected("guide.md"),)))[0]["q"]
    with desk.collection() as collection:
        (other,) = (
            chunk for chunk in collection.ledger.chunks(range(1, 50)).values()
            if chunk.path.endswith("other.md")
        )  # fmt: skip
    assert gold.ranking([Hit(other, 1)]) == ["other 0"]
    assert gold.ranking([Hit(other, 1, copies=[str(desk.folder / "guide.md")])]) == ["expected 0"]


def test_says_compares_whole_words() -> None:
    assert says("It costs 22 Euros, a month.", ["22 euros"])
    assert not says("It costs 122 euros.", ["22 euros"])
    assert not says("Anything.", ["", "?"])


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_measuring_asks_by_document_or_by_chunk(desk: Desk, mode: str) -> None:
    items = [
        Item("document", ASKED, (Expected("guide.md"),)),
        Item("line", ASKED, (Expected("guide.md", lines=(7, 7)),)),
        Item("answer", ASKED, answers=("blue box",)),
        Item("none", "Where is the moon?", answers=()),
    ]
    desk.embedder.truncated = []
    done = []
    with desk.collection() as collection:
        gold, _ = resolve(items, collection.ledger, [desk.folder])
        measures = [Measure.named("nDCG@10"), Measure.named("Hit@1")]
        found = measure(
            collection, lambda: desk.embedder, items, gold, RetrievalOptions(mode=mode),
            measures, lambda: done.append(1),
        )  # fmt: skip
    assert found.values["Hit@1"] == {"document": 1, "line": 1, "answer": 1}
    assert found.ranks == {"document": 1, "line": 1, "answer": 1}
    assert len(done) == 3
    told = latency(found.milliseconds)
    assert set(told) == {"mean", "p50", "p95", "p99", "questions"}
    assert told["questions"] == 3


def test_single_warm_searches_are_timed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [Item(name, f"{name} {ASKED}", (Expected("guide.md"),)) for name in "abc"]
    loads, sizes = [1.5, 0, 0, 0, 0, 0, 0], []

    class Slow:
        truncated = ()

        def encode(self, texts: list[str], *, query: bool = False):
            sizes.append(len(texts))
            return desk.embedder.encode(texts, query=query)

    def loaded() -> Slow:
        time.sleep(loads.pop(0))
        return Slow()

    def spent(mode: str) -> dict[str, float]:
        with desk.collection() as collection:
            gold, _ = resolve(items, collection.ledger, [desk.folder])
            named, options = [Measure.named("MAP")], RetrievalOptions(mode=mode)
            return measure(
                collection, loaded, items, gold, options, named, lambda: None
            ).milliseconds

    found = spent("dense")
    assert found.keys() == {"a", "b", "c"}
    assert max(found.values()) < 500
    assert sizes == [3, 1, 1, 1, 1]
    monkeypatch.setattr(timing, "MOST", 2)
    assert len(spent("lexical")) == 2
    monkeypatch.setattr(timing, "LEAST", 1)
    monkeypatch.setattr(timing, "SECONDS", 0)
    assert len(spent("lexical")) == 1


def test_sets_are_made_alike_for_one_seed_and_find_their_place(desk: Desk) -> None:
    with desk.collection() as collection:
        sets = [[one.row(str) for one in make(collection.ledger, 9, seed)] for seed in (1, 1, 2)]
        assert sets[0] == sets[1] != sets[2]
        items = [
            Item(row["id"], row["question"],
                 (Expected(row["document"], row["doc_id"], lines=row["lines"] and tuple(row["lines"])),))
            for row in sets[0]
        ]  # fmt: skip
        assert len({row["made"] for row in sets[0]}) >= 3
        assert all(
            row["answer"] is None or row["answer"] in _flat(collection, row) for row in sets[0]
        )
        gold, problems = resolve(items, collection.ledger, [])
        assert not problems
        for row in sets[0]:
            chunk = collection.ledger.chunk_by_id(row["chunk"])
            assert chunk is not None
            assert gold[row["id"]].ranking([Hit(chunk, 1)]) == ["expected 0"], row


def test_passages_are_asked_again_until_there_are_enough_questions(desk: Desk) -> None:
    desk.write(
        "long.md",
        "# Long\n\nA lathe is a machine that turns wood for turners. A chisel is a blade that cuts"
        " spindles quickly.\nMembers return borrowed chisels before Tuesday evening.\n",
    )
    desk.ingest()
    with desk.collection() as collection:
        chunks = collection.ledger.coverage().chunks
        few, many, all_of_them = (
            list(make(collection.ledger, count, 1)) for count in (chunks, chunks + 2, 1000)
        )
    assert len({one.chunk.id for one in few}) == len(few) <= chunks
    assert len(many) == chunks + 2
    assert many[: len(few)] == all_of_them[: len(few)] == few
    asked = [one.question for one in all_of_them]
    assert len(set(asked)) == len(asked) > len(many)
    assert {"What is a lathe?", "What is a chisel?"} <= {*asked}
    long = [one.made for one in all_of_them if one.chunk.path.endswith("long.md")]
    assert long.count("key sentence") > 1


def _flat(collection, row) -> str:
    return " ".join(collection.ledger.chunk_by_id(row["chunk"]).text.split())


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The lathe is a machine that turns wood.", "What is the lathe?"),
        ("Lathes are the oldest of our machines.", "What are Lathes?"),
        ("RAG stands for a way of answering.", "What does RAG stand for?"),
        ("This is a machine.", None),
        ("In the shed there is a lathe.", None),
        ("Turn it on.", None),
    ],
)
def test_definitions(sentence: str, question: str | None) -> None:
    assert defined(sentence) == question


def test_answers_are_judged_by_words_citations_and_silence(desk: Desk) -> None:
    from ragcli.answer.result import Answer
    from ragcli.types import Citation

    items = [
        Item("right", "?", (Expected("guide.md", lines=(7, 7)),), ("in the blue box",)),
        Item("silent", "?", (Expected("guide.md"),), ("keys",)),
        Item("absent", "?", answers=()),
        Item("made up", "?", answers=()),
    ]
    with desk.collection() as collection:
        gold, _ = resolve(items, collection.ledger, [desk.folder])
        chunks = {
            chunk.heading[-1:]: chunk for chunk in collection.ledger.chunks(range(1, 50)).values()
        }
    keys, fees = chunks[("Keys",)], chunks[("Fees",)]
    cited = [
        Citation(number, chunk, "spare keys", chunk.place(), 1.0)
        for number, chunk in enumerate((keys, fees), 1)
    ]
    said = Answer("answered", "In the blue box [1][2]", citations=cited)
    answers = [said, Answer("not_found"), Answer("not_found"), Answer("answered", "The moon.")]
    judged = judge(zip(items, answers, strict=True), gold, lambda: None)
    means = judged.means
    assert judged.values["Exact match"] == {"right": 1, "silent": 0}
    assert judged.values["F1"] == {"right": 1, "silent": 0}
    assert [means["ROUGE-L"], means["BLEU"]] == pytest.approx([0.5, 0.5])
    assert judged.values["Citation precision"] == {"right": 0.5}
    assert judged.values["Citation recall"] == {"right": 1, "silent": 0}
    assert means["Answered"] == means["Abstention precision"] == means["Abstention recall"] == 0.5

"""`ragcli evaluate` as people and scripts call it, on the sample folder and on a small BEIR folder."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from calling import ROOT, Run
from dialects import COMPATIBLE
from loopback import loopback
from models import make_model

SET = str(ROOT / "examples" / "questions.jsonl")
CORPUS = {
    "d1": "The lathe turns wood against a still blade.",
    "d2": "Honey bees dance to tell where flowers are.",
    "d3": "Volcanoes bring ash and lava to the surface.",
    "d4": "A sonnet is a poem of fourteen lines.",
}
QUERIES = {
    "q1": "Which machine turns wood?",
    "q2": "How do bees tell where flowers are?",
    "q3": "How many lines has a sonnet?",
}


@pytest.fixture
def data(workshop: Path, tmp_path: Path) -> Path:
    """A copy of the sample collection: an evaluation leaves its result there."""
    folder = tmp_path / "data"
    shutil.copytree(workshop, folder)
    return folder


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "little"
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        lines = (json.dumps({"_id": id, "text": text}) for id, text in rows.items())
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    qrels = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td4\t1\nq3\td99\t1\n"
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def evaluated(ragcli: Run, *arguments: str, code: int = 0) -> dict[str, Any]:
    result = ragcli("evaluate", *arguments, "--json")
    assert result.returncode == code, result.stderr
    found = json.loads(result.stdout)
    assert found["schema"].startswith("ragcli.evaluate")
    return found


def test_a_beir_folder_with_its_corpus(ragcli: Run, beir: Path, tmp_path: Path) -> None:
    place = ("--data-dir", str(tmp_path / "data"))
    absent = ragcli("evaluate", str(beir), *place)
    assert absent.returncode == 2
    assert ragcli("ingest", str(beir / "corpus.jsonl"), *place).returncode == 0
    found = evaluated(ragcli, str(beir), *place, "--each")
    assert set(found["modes"]) == {"hybrid", "dense", "lexical"}
    measures = found["modes"]["hybrid"]["measures"]
    assert list(measures) == ["nDCG@10", "Hit@4", "Recall@4", "Recall@100", "MRR@10", "MAP"]
    assert measures["MRR@10"] == 1
    assert measures["Recall@100"] == pytest.approx(2.5 / 3, abs=1e-4)
    assert [one["rank"] for one in found["each"]] == [1, 1, 1]
    assert found["set"]["problems"] == [
        {"file": "qrels/test.tsv", "line": 4, "reason": "the document 'd99' is not in the collection"}
    ]  # fmt: skip
    spoken = ragcli("eval", str(beir), *place, "--mode", "lexical", "--measure", "nDCG@3")
    assert spoken.stdout.splitlines()[1].split() == ["nDCG@3", "ms", "p95"]
    assert "qrels/test.tsv:4" in spoken.stderr


def test_the_one_shot_corpus_of_a_set(ragcli: Run, beir: Path) -> None:
    corpus = str(beir / "corpus.jsonl")
    found = evaluated(ragcli, str(beir), "--in", corpus, "--mode", "lexical")
    assert found["modes"]["lexical"]["measures"]["MRR@10"] == 1


def test_answers_a_report_and_the_history(ragcli: Run, data: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    place = ("--data-dir", str(data))
    found = evaluated(ragcli, SET, *place, "--answers", "--html", str(page), "--mode", "hybrid")
    answers = found["answers"]["measures"]
    assert answers["Holds answer"] == answers["Abstention recall"] == 1
    assert answers["Citation recall"] == 1
    assert found["answers"]["questions"]["Abstention recall"] == 3
    assert "<svg" in page.read_text()
    (file,) = data.rglob("evaluations.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "lathe" not in file.read_text()
    history = evaluated(ragcli, "--history", *place)["evaluations"]
    assert [one["set"]["questions"] for one in history] == [11]
    spoken = ragcli("evaluate", "--history", *place)
    assert "questions.jsonl" in spoken.stdout


def test_a_floor_that_is_missed_is_exit_4_and_said(ragcli: Run, data: Path) -> None:
    place = (SET, "--data-dir", str(data), "--mode", "lexical", "-k", "1")
    assert evaluated(ragcli, *place, "--fail-under", "nDCG@10=0.5")["below"] == []
    missed = evaluated(
        ragcli, *place, "--fail-under", "nDCG@5=0.5", "--fail-under", "Precision@10=0.9", code=4
    )
    assert [one["measure"] for one in missed["below"]] == ["Precision@10"]
    (file,) = data.rglob("evaluations.jsonl")
    kept = file.read_text()
    for floor in ("F1=0.5", "hybird:nDCG@10=0.5", "hybrid:nDCG@10=0.5", "nDCG@10=nan"):
        wrong = ragcli("evaluate", *place, "--fail-under", floor)
        assert (wrong.returncode, wrong.stdout) == (2, "")
    assert file.read_text() == kept
    for flags in (("--history",), ("--make-set", "3")):
        wrong = ragcli("evaluate", "--data-dir", str(data), *flags, "--fail-under", "nDCG@10=0.5")
        assert (wrong.returncode, wrong.stdout) == (2, "")


def test_two_configurations_are_compared(ragcli: Run, data: Path, tmp_path: Path) -> None:
    place = (SET, "--data-dir", str(data))
    found = evaluated(ragcli, *place, "--compare", "lexical", "hybrid,retrieval.dense_weight=0.3")
    compared = found["comparison"]
    assert (compared["a"], compared["b"]) == ("lexical", "hybrid,retrieval.dense_weight=0.3")
    assert compared["verdict"] in ("better", "worse", "no difference that this set can show")
    assert set(compared["measures"]["nDCG@10"]) >= {"a", "b", "difference", "interval", "p"}
    assert [list(side["modes"]) for side in found["sides"]] == [["lexical"], ["hybrid"]]
    (tmp_path / "few.yaml").write_text("retrieval:\n  candidates: 1\n  mode: lexical\n")
    page = tmp_path / "compared.html"
    spoken = ragcli("evaluate", *place, "--compare", "few.yaml", "current", "--html", str(page))
    assert spoken.returncode == 0, spoken.stderr
    assert "Between few.yaml and current" in spoken.stdout
    assert "flipped" in page.read_text()
    wrong = ragcli("evaluate", *place, "--compare", "nonsense", "current")
    assert wrong.returncode == 2
    assert "'nonsense' is no way to search" in wrong.stderr
    for modes in (("dense",), ("dense", "lexical")):
        flags = [part for mode in modes for part in ("--mode", mode)]
        wrong = ragcli("evaluate", *place, "--compare", "lexical", "current", *flags)
        assert wrong.returncode == 2 and "in one way on each side" in wrong.stderr


def test_a_comparison_is_held_to_floors_and_remembered(
    ragcli: Run, data: Path, tmp_path: Path
) -> None:
    place = (SET, "--data-dir", str(data), "--compare", "lexical,retrieval.candidates=9", "dense")
    hard = ("--fail-under", "dense:Precision@10=0.9", "--fail-under", "nDCG@10=0.5")
    found = evaluated(ragcli, *place, *hard, "--each", code=4)
    assert [one["measure"] for one in found["below"]] == ["dense:Precision@10"]
    assert [len(side["each"]) for side in found["sides"]] == [11, 11]
    assert "Precision@10" in found["sides"][0]["each"][0]["measures"]
    for wrong in (
        ["lexical:nDCG@10=0"],
        ["F1=0"],
        ["MAP=0", "--mode", "dense", "--mode", "lexical"],
    ):
        refused = ragcli("evaluate", *place, "--fail-under", *wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
    spoken = ragcli("evaluate", *place, *hard)
    assert spoken.returncode == 4
    assert "below: dense:Precision@10 is 0." in spoken.stderr
    place = ("--data-dir", str(data))
    assert ragcli("evaluate", SET, *place, "--compare", "current", "hybrid").returncode == 0
    history = evaluated(ragcli, "--history", *place)["evaluations"]
    sides = ["lexical,retrieval.candidates=9", "dense"]
    assert [one.get("side") for one in history] == [*sides, *sides, None, "hybrid"]
    assert [one["mode"] for one in history] == [*["lexical", "dense"] * 2, "hybrid", "hybrid"]
    told = ragcli("evaluate", "--history", *place).stdout
    assert "lexical (lexical,retrieval.candidates=9)" in told
    assert "dense nDCG@10:" in told


def test_a_set_with_nothing_to_find_measures_silence_alone(
    ragcli: Run, data: Path, tmp_path: Path
) -> None:
    lines = ({"question": text, "answers": []} for text in ("Which bus?", "Who won the cup?"))
    (tmp_path / "un.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    place = ("un.jsonl", "--data-dir", str(data))
    for sides in ([], ["--compare", "hybrid", "dense"]):
        refused = ragcli("evaluate", *place, *sides)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "nothing to find" in refused.stderr
        assert "--answers" in refused.stderr
    found = evaluated(ragcli, *place, "--answers", "--compare", "hybrid", "dense")
    assert found["comparison"]["primary"] == "Abstention recall"
    assert found["comparison"]["measures"]["Abstention recall"]["questions"] == 2
    page = ("--html", str(tmp_path / "page.html"))
    assert "Abstention" in ragcli("evaluate", *place, "--answers", *page).stdout


def test_a_place_that_cannot_be_written_is_said_before_anything_is_done(
    ragcli: Run, data: Path, tmp_path: Path
) -> None:
    place = ("--data-dir", str(data))
    nowhere = str(tmp_path / "absent" / "x.jsonl")
    for arguments in (
        ["evaluate", "--make-set", "3", "--out", nowhere],
        ["evaluate", SET, "--mode", "lexical", "--html", nowhere],
        ["evaluate", SET, "--mode", "lexical", "--html", str(tmp_path)],
        ["feedback", "export", "--out", nowhere],
    ):
        refused = ragcli(*arguments, *place)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "cannot be written" in refused.stderr
        assert len(refused.stderr.splitlines()) == 2
    assert not list(data.rglob("evaluations.jsonl"))


def test_pages_and_lines_that_no_document_has_are_named(
    ragcli: Run, data: Path, tmp_path: Path
) -> None:
    places = [
        {"document": "handbook.md", "page": 3},
        {"document": "safety.pdf", "page": 77},
        {"document": "handbook.md", "lines": "900-910"},
        {"document": "safety.pdf", "page": 1},
    ]
    text = "".join(json.dumps({"question": "Where?", **place}) + "\n" for place in places)
    (tmp_path / "places.jsonl").write_text(text)
    place = ("places.jsonl", "--data-dir", str(data), "--mode", "lexical")
    problems = evaluated(ragcli, *place)["set"]["problems"]
    assert [(one["line"], one["reason"]) for one in problems] == [
        (1, "the document 'handbook.md' has no text on page 3"),
        (2, "the document 'safety.pdf' has no text on page 77"),
        (3, "the document 'handbook.md' has no text on lines 900-910"),
    ]
    assert "places.jsonl:2: the document 'safety.pdf'" in ragcli("evaluate", *place).stderr


def test_two_embedders_are_compared_each_on_its_collection(
    ragcli: Run, beir: Path, tmp_path: Path
) -> None:
    model = make_model(tmp_path / "tiny")
    place = ("--data-dir", str(tmp_path / "data"))
    sides = {"usual": [], "tiny": [f"embedder.model={model}"]}
    for name, settings in sides.items():
        sets = [part for setting in settings for part in ("--set", setting)]
        done = ragcli("ingest", str(beir / "corpus.jsonl"), "-c", name, *place, *sets)
        assert done.returncode == 0, done.stderr
    texts = [",".join([f"collection={name}", "dense", *sides[name]]) for name in sides]
    found = evaluated(ragcli, str(beir), *place, "--compare", *texts)
    embedders = [side["embedder"] for side in found["sides"]]
    assert embedders == ["sentence-transformers/all-MiniLM-L6-v2", str(model)]
    assert [side["collection"] for side in found["sides"]] == list(sides)
    mixed = ragcli("evaluate", str(beir), *place, "--compare", texts[0], "collection=tiny,dense")
    assert (mixed.returncode, mixed.stdout) == (2, "")
    assert "ragcli ingest" in mixed.stderr


def test_a_set_that_ragcli_wrote_can_be_asked(ragcli: Run, data: Path, tmp_path: Path) -> None:
    place = ("--data-dir", str(data))
    made = ragcli("evaluate", "--make-set", "6", "--out", "made.jsonl", *place)
    assert (made.returncode, made.stdout) == (0, "")
    assert stat.S_IMODE((tmp_path / "made.jsonl").stat().st_mode) == 0o600
    again = ragcli("evaluate", "--make-set", "6", *place)
    assert again.stdout == (tmp_path / "made.jsonl").read_text()
    rows = [json.loads(line) for line in again.stdout.splitlines()]
    assert len(rows) == 6
    keys = {"id", "question", "document", "doc_id", "page", "lines", "answer", "made", "chunk"}
    assert all(set(row) == keys for row in rows)
    found = evaluated(ragcli, "made.jsonl", *place, "--mode", "hybrid")
    assert found["set"]["problems"] == []
    assert found["modes"]["hybrid"]["measures"]["Recall@100"] == 1
    assert ragcli("evaluate", "--make-set", "6", "--out", "made.jsonl", *place).returncode == 2
    more = ragcli("evaluate", "--make-set", "20", *place)
    assert len(more.stdout.splitlines()) == 20
    assert "Only" not in more.stderr
    most = ragcli("evaluate", "--make-set", "1000", *place)
    made = len(most.stdout.splitlines())
    assert made > 20
    assert f"Only {made} questions could be made, not 1000." in most.stderr


def test_a_language_model_words_the_questions_when_there_is_one(ragcli: Run, data: Path) -> None:
    said = '{"question": "How many guests may come?", "answer": "one guest a day"}'
    with loopback(COMPATIBLE.streamed([said])) as server:
        made = ragcli(
            "evaluate", "--make-set", "1", "--data-dir", str(data),
            "--llm", "openai-compatible:test-model",
            env={"RAGCLI_LLM__BASE_URL": f"{server.url}/v1"},
        )  # fmt: skip
    # The same reply to every passage: it holds for the one that says so, if that is among the first.
    rows = [json.loads(line) for line in made.stdout.splitlines()]
    for row in rows:
        assert row["made"] == "llm openai-compatible:test-model"
        assert row["answer"] == "Each member may bring one guest a day."
    assert rows or "no sentence to ask for" in made.stderr


def test_feedback_becomes_a_question_set(ragcli: Run, data: Path, tmp_path: Path) -> None:
    place = ("--data-dir", str(data))
    assert ragcli("feedback", "good", *place).returncode == 2
    assert ragcli("query", "Where is the first aid box?", *place).returncode == 0
    assert ragcli("feedback", "good", *place).returncode == 0
    assert ragcli("query", "When is the workshop closed?", *place).returncode == 0
    assert ragcli("query", "Is it open?", *place, "--set", "remember=0").returncode in (0, 3)
    (file,) = data.rglob("answers.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    answers = json.loads(ragcli("feedback", "list", "--json", *place).stdout)["answers"]
    assert len(answers) == 2
    assert ragcli("feedback", "bad", "--query", answers[1]["query"], *place).returncode == 0
    assert ragcli("feedback", "export", "--out", "asked.jsonl", *place).returncode == 0
    rows = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]
    assert [row["made"] for row in rows] == ["feedback good", "feedback bad"]
    found = evaluated(ragcli, "asked.jsonl", *place, "--mode", "hybrid")
    assert found["modes"]["hybrid"]["measures"]["MRR@10"] == 1
    assert [problem["line"] for problem in found["set"]["problems"]] == [2]


@pytest.mark.skipif("RAGCLI_TEST_DATA" not in os.environ, reason="RAGCLI_TEST_DATA is not set")
def test_scifact_keeps_its_floor_by_words(ragcli: Run, tmp_path: Path) -> None:
    folder = Path(os.environ["RAGCLI_TEST_DATA"]) / "scifact"
    corpus = tmp_path / "corpus.jsonl"
    relevant = {
        line.split("\t")[1] for line in (folder / "qrels/test.tsv").read_text().splitlines()
    }
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        chosen = [line for line in lines if json.loads(line)["_id"] in relevant]
    corpus.write_text("".join(chosen))
    assert len(chosen) > 200
    found = evaluated(
        ragcli, str(folder), "--in", str(corpus), "--mode", "lexical", "--fail-under", "nDCG@10=0.8"
    )
    assert found["set"]["questions"] == 300

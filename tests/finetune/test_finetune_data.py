"""Training data: every form is recognised, what does not fit is named with its line, nonsense is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ragcli.errors import UsageError
from ragcli.evaluate.questions import Expected, Item
from ragcli.finetune import conform, training
from ragcli.finetune.jury import seen_among
from ragcli.finetune.loading import digest, load
from ragcli.finetune.material import Material, Passage, Row
from ragcli.finetune.shelf import Shelf
from ragcli.finetune.split import Parts, split

PAIR = {"question": "what is {n}", "context": "number {n} it is"}
FORMS = {
    "pairs": PAIR,
    "triplets": {"anchor": "a {n}", "positive": "b {n}", "negative": "c {n}"},
    "scored": {"sentence1": "a {n}", "sentence2": "b {n}", "score": "0.{n}"},
    "labelled": {"sentence1": "a {n}", "sentence2": "b {n}", "label": "{bit}"},
    "classes": {"text": "a {n}", "label": "class {bit}"},
}


def rows(form: dict[str, str], count: int = 20) -> list[dict[str, str]]:
    return [
        {key: value.format(n=n, bit=n % 2) for key, value in form.items()} for n in range(count)
    ]


def write(path: Path, data: list[dict]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in data))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(data[0]))
            writer.writeheader()
            writer.writerows(data)
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(data), path)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("shape", FORMS)
def test_each_form_is_recognised_in_each_kind_of_file(
    shape: str, suffix: str, tmp_path: Path
) -> None:
    material = load(write(tmp_path / f"data{suffix}", rows(FORMS[shape])))
    assert material.shape == shape
    assert len(material.questions) == 20
    assert not material.misfits


def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", rows(PAIR))
    with path.open("a") as file:
        file.write('not json\n{"question": "", "context": "x"}\n{"question": "what is 1", ')
        file.write('"context": "number 1 it is"}\n[1]\n')
    told = [str(misfit) for misfit in load(path).misfits]
    assert told == [
        "data.jsonl:21: it is not JSON",
        "data.jsonl:22: its 'question' is empty or no text",
        "data.jsonl:23: it was there before",
        "data.jsonl:24: it is not a JSON object",
    ]


def test_a_score_out_of_range_is_a_misfit(tmp_path: Path) -> None:
    data = [*rows(FORMS["scored"], 12), {"sentence1": "x", "sentence2": "y", "score": "4.5"}]
    material = load(write(tmp_path / "data.csv", data))
    assert [str(misfit) for misfit in material.misfits] == [
        "data.csv:14: its 'score' is 4.5, not from 0 to 1"
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (rows(PAIR, 3), "3 examples"),
        (rows({"text": "a {n}", "label": "one"}), "one class"),
        (rows({"sentence1": "a {n}", "sentence2": "b {n}", "score": "1"}), "same score"),
        (rows({"left": "a {n}", "right": "b {n}"}), "left, right"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_a_sentence(
    data: list[dict], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        load(write(tmp_path / "data.jsonl", data))


def beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    write(
        folder / "corpus.jsonl",
        [{"_id": f"d{n}", "title": f"t {n}", "text": f"text {n}"} for n in range(40)],
    )
    write(folder / "queries.jsonl", [{"_id": f"q{n}", "text": f"asks {n}"} for n in range(40)])
    head = "query-id\tcorpus-id\tscore\n"
    train = "".join(f"q{n}\td{n}\t1\n" for n in range(30))
    test = "".join(f"q{n}\td{n - 5}\t1\n" for n in range(30, 40))
    (folder / "qrels" / "train.tsv").write_text(head + train + "q1\tnowhere\t1\n")
    (folder / "qrels" / "test.tsv").write_text(head + test)
    return folder


def test_a_beir_folder_brings_its_test_part_and_leakage_is_known(tmp_path: Path) -> None:
    material = load(beir(tmp_path / "set"))
    assert [str(misfit) for misfit in material.misfits] == [
        "qrels/train.tsv:32: the document 'nowhere' is not in corpus.jsonl"
    ]
    parts = split(material, 3)
    assert sorted(parts.test) == [f"q{n}" for n in range(30, 40)]
    assert set(parts.train) | set(parts.development) == {f"q{n}" for n in range(30)}
    trained = {f"d{n[1:]}" for n in parts.train}
    assert parts.seen == {id for id in parts.test if f"d{int(id[1:]) - 5}" in trained}
    assert parts.seen and parts.unseen


def test_questions_of_one_document_stay_on_one_side(tmp_path: Path) -> None:
    data = [
        {"question": f"question {n}", "context": f"passage {n}", "document": f"book {n % 12}"}
        for n in range(120)
    ]
    material = load(write(tmp_path / "data.jsonl", data))
    parts = split(material, 1)
    assert parts.by_document and not parts.seen
    books = []
    for ids in (parts.train, parts.development, parts.test):
        held = [passage for id in ids for passage in material.questions[id].relevant]
        books.append({material.passages[passage].document for passage in held})
    assert all(books)
    assert not books[0] & books[1] and not books[0] & books[2] and not books[1] & books[2]
    assert split(material, 1) == parts != split(material, 2)


@pytest.mark.parametrize("shared", [True, False])
def test_a_development_part_is_like_the_part_that_judges(shared: bool, tmp_path: Path) -> None:
    folder = beir(tmp_path / "set")
    # Two questions to a document; the judging ones are about the same documents, or others.
    judged = {"train": (range(30), 0), "test": (range(30, 40), -15 if shared else 10)}
    for part, (numbers, offset) in judged.items():
        lines = [f"q{n}\td{n // 2 + offset}\t1\n" for n in numbers]
        head = "query-id\tcorpus-id\tscore\n"
        (folder / "qrels" / f"{part}.tsv").write_text(head + "".join(lines))
    material = load(folder)
    parts = split(material, 1)
    trained = {name for id in parts.train for name in material.questions[id].relevant}
    linked = [id for id in parts.development if trained & material.questions[id].relevant.keys()]
    assert parts.by_document is not shared
    assert bool(linked) is shared


def test_a_shelf_holds_passages_as_a_dict_does() -> None:
    shelf, plain = Shelf(), dict[str, Passage]()
    for number in (3, 1, 2, 1):
        for held in (shelf, plain):
            held[f"p{number}"] = Passage(f"text {number}", f"book {number}")
    assert list(shelf) == list(plain) and dict(shelf) == plain and len(shelf) == 3
    assert shelf.setdefault("p1", Passage("other", "")).text == "text 1"
    del shelf["p3"], plain["p3"]
    assert dict(shelf) == plain and "p3" not in shelf
    with pytest.raises(KeyError):
        shelf["p3"]
    shelf["half"] = Passage("half a character: \ud800", "")
    assert shelf["half"].text == "half a character: ?"


def trained_rows(material: Material, parts: Parts, loss: str, wanted: int = 0) -> list[Row]:
    return list(conform.rows(material, parts.train, {}, loss, wanted, seed=1))


@pytest.mark.parametrize("loss", ["cosent", "contrastive"])
def test_every_rated_pair_is_trained_on_and_none_is_invented(loss: str, tmp_path: Path) -> None:
    data = [
        {"sentence1": f"a {n}", "sentence2": f"b {n}", "score": round(n / 100, 2)}
        for n in range(101)
    ]
    data += [{"sentence1": "a 90", "sentence2": f"c {n}", "score": 0.1} for n in range(5)]
    material = load(write(tmp_path / "data.jsonl", data))
    parts = split(material, 1)
    held = {*parts.test, *parts.development}
    assert all(material.questions[id].relevant for id in held)
    wanted = {
        (row["sentence1"], row["sentence2"]): row["score"]
        for row in data
        if digest(row["sentence1"]) not in held
    }
    if loss == "contrastive":
        wanted = {pair: float(score >= 0.5) for pair, score in wanted.items()}
    made = {row.texts: row.label for row in trained_rows(material, parts, loss)}
    assert made == wanted


def test_each_wrong_answer_of_a_triplet_is_in_a_row(tmp_path: Path) -> None:
    data = [
        {"anchor": f"a {n}", "positive": f"b {n}", "negative": f"c {n} {at}"}
        for n in range(30)
        for at in range(3)
    ]
    material = load(write(tmp_path / "data.jsonl", data))
    parts = split(material, 1)
    trained = {material.questions[id].text for id in parts.train}
    rows = trained_rows(material, parts, "mnrl", 1)
    wanted = [tuple(row.values()) for row in data if row["anchor"] in trained]
    assert sorted(row.texts for row in rows) == sorted(wanted)
    # Two in a row: the second row of each is filled up.
    assert {len(row.texts) for row in trained_rows(material, parts, "mnrl", 2)} == {4}
    assert len(trained_rows(material, parts, "mnrl", 2)) == 2 * len(trained)


def test_a_question_in_both_parts_learns_nothing_of_the_one_that_judges(tmp_path: Path) -> None:
    folder = beir(tmp_path / "set")
    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write("\nq3\td39\t1\n")
    material = load(folder)
    assert "q3" not in material.test and material.questions["q3"].relevant == {"d3": 1}
    assert len(material.test) == 10
    assert material.notes == [
        "1 test questions are also trained on: they are left out of the proof."
    ]


@pytest.mark.parametrize("loss", ["mnrl", "cosent", "batch-all-triplet", "triplet"])
def test_of_a_class_only_texts_that_train_are_in_rows(loss: str, tmp_path: Path) -> None:
    data = [{"text": f"text {n}", "label": f"kind {n % 3}"} for n in range(300)]
    material = load(write(tmp_path / "data.jsonl", data))
    parts = split(material, 1)
    rows = trained_rows(material, parts, loss, 1)
    trained = {material.questions[id].text for id in parts.train}
    assert {text for row in rows for text in row.texts} == trained
    kinds = {row["text"]: row["label"] for row in data}
    for row in rows:
        first = kinds[row.texts[0]]
        if loss == "cosent":
            assert (kinds[row.texts[1]] == first) == row.label
        elif loss != "batch-all-triplet":
            assert [kinds[text] == first for text in row.texts[1:]] == [True, False]


def test_a_large_class_is_related_without_a_list_for_each_text(tmp_path: Path) -> None:
    data = [{"text": f"text {n}", "label": "left" if n % 2 else "right"} for n in range(2000)]
    material = load(write(tmp_path / "data.jsonl", data))
    answers = {id: question.relevant for id, question in material.questions.items()}
    assert len({id(one) for one in answers.values()}) == 2
    assert all(len(one) == 1000 for one in answers.values())
    parts = split(material, 1)
    training.write_development(tmp_path / "held.json", material, parts, {}, 1)
    held = json.loads((tmp_path / "held.json").read_text())
    assert len(held["passages"]) < 1000
    assert all(set(names) <= set(held["passages"]) for names in held["relevant"].values())


@pytest.mark.parametrize("text", ["", json.dumps([PAIR] * 9, indent=1)])
def test_a_file_without_rows_is_refused_for_that(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(UsageError, match="has no row that can be read; line 1: it is"):
        load(tmp_path / "data.json")


def test_a_judging_question_is_seen_where_its_document_is_trained_on(tmp_path: Path) -> None:
    data = [
        {"question": f"asks {n}", "context": f"text {n}", "document": f"docs/book-{n}.md"}
        for n in range(60)
    ]
    material = load(write(tmp_path / "data.jsonl", data))
    train = split(material, 1).train
    trained = sorted(material.documents(train))[0]
    names = [trained, trained.removeprefix("docs/"), f"home/{trained}", f"other-{trained}", "x.md"]
    items = [Item(name, "?", (Expected(name),)) for name in names]
    assert seen_among(items, {}, material, train) == {*names[:3]}

"""The lexical index: finds what it should, follows the ledger exactly, and knows when it is damaged."""

import json
import random
import subprocess
import sys

import pytest
from test_ledger import document, facts, put

from ragcli.errors import ConfigError, IndexDamaged
from ragcli.index import segments
from ragcli.index.ledger import Ledger
from ragcli.index.lexical import LexicalIndex
from ragcli.index.rows import Selection

WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def index(tmp_path, ledger):
    built = LexicalIndex(tmp_path / "lexical")
    built.create()
    yield built
    built.close()


def found(index, question, k=10, allowed=None):
    return [key for key, _ in index.search(question, k, allowed)]


def test_words_are_found_whatever_their_form(index, ledger):
    put(
        ledger,
        "/r/a",
        document(
            "The cats were running home", "Le CAFÉ est ouvert", "東京タワーは高い", "ภาษาไทยง่าย"
        ),
        document("call foo_bar(x) or fooBar", "use --dry-run", "version 2.13.0", "the C++ way"),
    )
    index.catch_up(ledger)
    for question, key in {
        "cat": 1,
        "homes": 1,
        "cafe": 2,
        "東京": 3,
        "高": 3,
        "ไทย": 4,
        "foo_bar": 5,
        "FOOBAR": 5,
        "bar": 5,
        "--dry-run": 6,
        "dry": 6,
        "2.13.0": 7,
        "C++": 8,
    }.items():
        assert found(index, question, 1) == [key], question
    assert found(index, "zebra") == []


def test_title_and_headings_are_found_too(index, ledger):
    put(ledger, "/r/a", document("body", title="Zebras", heading=("Zebras", "Stripes")))
    index.catch_up(ledger)
    assert found(index, "zebra") == found(index, "stripe") == [1]


@pytest.mark.parametrize(
    "question",
    [
        "",
        " ",
        '"',
        "a:b",
        "+(-*",
        "text:w1 OR",
        "AND",
        "[1 TO *]",
        "\\",
        "\x00",
        "w1 " * 5000,
        "é" * 9999,
    ],
)
def test_no_question_is_an_error(index, ledger, question):
    put(ledger, "/r/a", document("w1 w2"))
    index.catch_up(ledger)
    assert set(found(index, question)) <= {1}
    assert index.ceiling(question) >= sum(score for _, score in index.search(question, 1))


def test_scores_of_chosen_chunks_equal_those_of_the_search(index, ledger):
    generator = random.Random(3)
    put(ledger, "/r/a", *(document(" ".join(generator.choices(WORDS, k=20))) for _ in range(200)))
    index.catch_up(ledger)
    hits = dict(index.search("w1 w2 w3", 200))
    assert len(hits) > 50
    some = sorted(hits)[::7]
    assert index.scores("w1 w2 w3", some) == pytest.approx({key: hits[key] for key in some})
    assert index.scores("w1", []) == {}
    assert max(hits.values()) <= index.ceiling("w1 w2 w3")


def test_filters_apply_before_the_top_k(index, ledger):
    generator = random.Random(4)
    for number in range(20):
        pages = (document(" ".join(generator.choices(WORDS, k=15)), page=p) for p in range(1, 11))
        put(ledger, f"/r/{number}", *pages)
    index.catch_up(ledger)
    everything = index.search("w1 w2 w3 w4", 1000)
    for _ in range(20):
        documents = frozenset(generator.sample(range(1, 201), generator.randrange(0, 60)))
        first = generator.randrange(1, 11)
        allowed = Selection(
            generator.choice([None, documents]), generator.choice([None, (first, first + 2)])
        )
        keys = set(ledger.selected_keys(allowed).tolist())
        expected = [(key, pytest.approx(score)) for key, score in everything if key in keys]
        assert index.search("w1 w2 w3 w4", 1000, allowed) == expected
        few = dict(index.search("w1 w2 w3 w4", 5, allowed))
        assert len(few) == min(5, len(expected)) and few.keys() <= keys
    assert found(index, "w1", 5, Selection(documents=frozenset())) == []


def test_following_the_log_equals_building_anew(tmp_path, index, ledger):
    generator = random.Random(11)
    for step in range(60):
        path = f"/r/{generator.randrange(8)}"
        if generator.random() < 0.3 and (row := ledger.file(path)) is not None:
            ledger.remove([row.id])
        elif generator.random() < 0.2 and (row := ledger.file(path)) is not None:
            ledger.move(row.id, facts(f"/r/{generator.randrange(8)}"))
        else:
            texts = (" ".join(generator.choices(WORDS, k=8)) for _ in range(generator.randrange(4)))
            put(ledger, path, document(*texts))
        if generator.random() < 0.5:
            index.catch_up(ledger)
        if step % 20 == 19:
            index.catch_up(ledger)
            fresh = LexicalIndex(tmp_path / f"fresh{step}")
            fresh.rebuild(ledger)
            assert index.position == fresh.position == ledger.position()
            assert index.count() == fresh.count() == ledger.coverage().chunks
            for word in WORDS:
                assert sorted(found(index, word, 1000)) == sorted(found(fresh, word, 1000))


def test_what_was_committed_is_there_after_opening_again(tmp_path, index, ledger):
    put(ledger, "/r/a", document("w1", "w2"))
    index.catch_up(ledger)
    again = LexicalIndex(tmp_path / "lexical")
    again.open()
    assert (again.position, again.count(), found(again, "w2")) == (2, 2, [2])


def test_a_stamp_left_by_a_crash_leads_to_reading_everything(tmp_path, index, ledger):
    put(ledger, "/r/a", document("w1", "w2"))
    index.catch_up(ledger)
    segments.write_stamp(tmp_path / "lexical", index.analysis, 0, clean=False)
    again = LexicalIndex(tmp_path / "lexical")
    again.open()
    assert found(again, "w2") == [2]
    assert json.loads((tmp_path / "lexical" / segments.STAMP).read_text())["clean"]


def damages(path):
    """Ways to damage a file: each a name and a function."""
    size = path.stat().st_size
    yield "deleted", lambda: path.unlink()
    yield "emptied", lambda: path.write_bytes(b"")
    yield "cut", lambda: path.write_bytes(path.read_bytes()[: size // 2])
    for at in (0, size // 3, size - 1):
        yield f"flipped at {at}", lambda at=at: path.write_bytes(flipped(path.read_bytes(), at))


def flipped(raw, at):
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def test_damage_to_any_file_is_noticed(tmp_path, index, ledger):
    put(ledger, "/r/a", *(document(f"w{i} shared") for i in range(50)))
    put(ledger, "/r/b", document("w1"))
    index.catch_up(ledger)
    ledger.remove([1])
    index.catch_up(ledger)
    folder = tmp_path / "lexical"
    index.close()
    tried = 0
    for name in [segments.META, segments.STAMP, *segments.segment_files(folder)]:
        path = folder / name
        sound = path.read_bytes()
        for label, damage in damages(path):
            if name == segments.STAMP and label.startswith("flipped"):
                continue  # the stamp only saves reading the files, which are then read
            damage()
            with pytest.raises(IndexDamaged):
                index.open()
                pytest.fail(f"{name} {label} was not noticed")
            path.write_bytes(sound)
            tried += 1
    assert tried > 40


UNCHECKED = """
import sys
from pathlib import Path
from ragcli.index.lexical import LexicalIndex

folder = Path(sys.argv[1])
(path,) = folder.glob("*.idx")
sound = path.read_bytes()

def answers():
    index = LexicalIndex(folder)
    index._load()
    found = [[key for key, _ in index.search(f"w{i}", 1000, None)] for i in range(60)]
    index.close()
    return found

before = answers()
for at in range(200, len(sound) - 100, 4):
    path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
    if answers() != before:
        sys.exit("answered otherwise")
"""


def test_without_the_check_the_damage_does_harm(tmp_path, index, ledger):
    """The control: tantivy itself opens a flipped file, and finds something else or crashes."""
    put(ledger, "/r/a", *(document(f"w{i} shared") for i in range(50)))
    index.catch_up(ledger)
    index.close()
    child = subprocess.run(
        [sys.executable, "-c", UNCHECKED, str(tmp_path / "lexical")], capture_output=True
    )
    assert child.returncode != 0


def test_another_language_is_another_index(tmp_path, index):
    with pytest.raises(IndexDamaged, match="german"):
        LexicalIndex(tmp_path / "lexical", "german").open()
    with pytest.raises(ConfigError):
        LexicalIndex(tmp_path / "lexical", "klingon")


def test_without_a_stemmer_words_are_found_as_they_are(tmp_path, ledger):
    put(ledger, "/r/a", document("running"))
    index = LexicalIndex(tmp_path / "plain", "none")
    index.rebuild(ledger)
    assert found(index, "running") == [1]
    assert found(index, "run") == []

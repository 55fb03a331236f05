"""The dense index: exact where it says so, close where it does not, and level with the ledger."""

import random

import numpy as np
import pytest
from test_ledger import document, embed, facts, put
from test_lexical import damages, flipped

from ragcli.errors import IndexDamaged
from ragcli.index.dense import DenseIndex
from ragcli.index.ledger import Ledger
from ragcli.index.rows import Selection
from ragcli.stores import embedded, verified

DIMENSION = 16


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def dense(ledger, exact_below=50_000, name="dense"):
    folder = ledger.path.parent / name
    folder.mkdir(exist_ok=True)
    options = embedded.Options(exact_below=exact_below, probes=24)
    return DenseIndex(embedded.build(options, folder), ledger)


def clustered(count, seed=0):
    """Unit vectors around a few centres, as float16 keeps them."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(20, DIMENSION))
    rows = centres[generator.integers(0, 20, count)] + 0.4 * generator.normal(
        size=(count, DIMENSION)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def fill(ledger, vectors, path="/r/a", page=None):
    texts = [f"{path} {number}" for number in range(len(vectors))]
    put(ledger, path, document(*texts, page=page))
    pending = ledger.pending(len(vectors))
    ledger.store_vectors([key for key, _ in pending], vectors)


def nearest(vectors, keys, asked, k):
    """Brute force in float32: keys and cosines, best first, ties by key."""
    scores = vectors.astype(np.float32) @ asked
    order = sorted(range(len(keys)), key=lambda i: (-scores[i], keys[i]))[:k]
    return [(keys[i], pytest.approx(float(scores[i]), abs=1e-5)) for i in order]


def test_exact_search_equals_brute_force_with_any_filter(ledger):
    vectors = clustered(6000)
    for part in range(6):
        rows = vectors[part * 1000 : part * 1000 + 1000]
        fill(ledger, rows, f"/r/{part}", page=part + 1)
    index = dense(ledger)
    index.rebuild(ledger, "f")
    generator = random.Random(2)
    for asked in clustered(10, seed=1).astype(np.float32):
        documents = frozenset(generator.sample(range(1, 7), generator.randrange(7)))
        for allowed in (None, Selection(), Selection(documents), Selection(pages=(2, 5))):
            keys = ledger.selected_keys(allowed or Selection()).tolist()
            expected = nearest(vectors[np.array(keys, int) - 1], keys, asked, 7)
            assert index.search(asked, 7, allowed) == expected


def test_approximate_search_finds_nearly_all_and_says_true_cosines(ledger):
    vectors = clustered(8000)
    fill(ledger, vectors)
    index = dense(ledger, exact_below=1000)
    index.rebuild(ledger, "f")
    assert not index.store.exact
    found = 0
    keys = list(range(1, 8001))
    for asked in clustered(50, seed=1).astype(np.float32):
        expected = dict(nearest(vectors, keys, asked, 10))
        hits = index.search(asked, 10)
        assert hits == nearest(
            vectors[[key - 1 for key, _ in hits]], [k for k, _ in hits], asked, 10
        )
        found += len(expected.keys() & dict(hits).keys())
    assert found / 500 > 0.95


def test_an_approximate_search_within_a_large_selection(ledger):
    vectors = clustered(9000)
    for part in range(9):
        fill(ledger, vectors[part * 1000 : part * 1000 + 1000], f"/r/{part}", page=part)
    index = dense(ledger, exact_below=1000)
    index.rebuild(ledger, "f")
    allowed = Selection(pages=(2, 6))
    keys = ledger.selected_keys(allowed).tolist()
    found = 0
    for asked in clustered(20, seed=1).astype(np.float32):
        hits = dict(index.search(asked, 10, allowed))
        assert len(hits) == 10 and hits.keys() <= set(keys)
        found += len(
            hits.keys() & dict(nearest(vectors[np.array(keys) - 1], keys, asked, 10)).keys()
        )
    assert found / 200 > 0.95


def test_the_store_changes_form_as_it_grows_and_shrinks(ledger):
    index = dense(ledger, exact_below=1500)
    for part in range(3):
        fill(ledger, clustered(800, part), f"/r/{part}")
        index.catch_up(ledger)
        assert index.store.exact == (part == 0)
        assert len(index.store) == ledger.coverage().embedded == 800 * (part + 1)
    ledger.remove([1, 2])
    ledger.remove([3])
    fill(ledger, clustered(10), "/r/x")
    index.catch_up(ledger)
    assert index.store.exact
    assert len(index.store) == 10


@pytest.mark.parametrize("exact_below", [50_000, 40])
def test_following_the_log_equals_building_anew(ledger, exact_below):
    generator = random.Random(exact_below)
    index = dense(ledger, exact_below)
    asked = clustered(5, seed=9).astype(np.float32)
    for step in range(80):
        path = f"/r/{generator.randrange(8)}"
        row = ledger.file(path)
        if generator.random() < 0.25 and row is not None:
            ledger.remove([row.id])
        elif generator.random() < 0.2 and row is not None:
            ledger.copy(facts(f"/r/{generator.randrange(8)}"), row.id)
        else:
            texts = (f"text {generator.randrange(60)}" for _ in range(generator.randrange(20)))
            put(ledger, path, document(*texts))
        if generator.random() < 0.6:
            embed(ledger, DIMENSION)
        if generator.random() < 0.5:
            index.catch_up(ledger)
        if generator.random() < 0.1:
            index.save()
            index = dense(ledger, exact_below)
            index.open("")
        if step % 20 == 19:
            index.catch_up(ledger)
            fresh = dense(ledger, exact_below, "fresh")
            fresh.rebuild(ledger, "")
            count = ledger.coverage().embedded
            assert len(index.store) == len(fresh.store) == count > 20
            for vector in asked:
                everything = index.search(vector, count)
                if index.store.exact and fresh.store.exact:
                    assert everything == fresh.search(vector, count)
                assert [score for _, score in everything[:10]] == pytest.approx(
                    [score for _, score in fresh.search(vector, count)[:10]], abs=1e-5
                )


def test_damage_to_the_file_is_noticed(ledger):
    fill(ledger, clustered(300))
    index = dense(ledger)
    index.rebuild(ledger, "f")
    index.save()
    path = index.store.path
    sound = path.read_bytes()
    tried = 0
    for label, damage in damages(path):
        damage()
        with pytest.raises(IndexDamaged):
            dense(ledger).open("f")
            pytest.fail(f"{label} was not noticed")
        path.write_bytes(sound)
        tried += 1
    assert tried == 6
    with pytest.raises(IndexDamaged, match="embedder"):
        dense(ledger).open("g")


def test_without_the_check_the_damage_is_answered_from(ledger, monkeypatch):
    """The control: FAISS itself reads a flipped file, and then finds something else."""
    fill(ledger, clustered(300))
    index = dense(ledger)
    index.rebuild(ledger, "f")
    index.save()
    asked = clustered(1, seed=1).astype(np.float32)[0]
    before = index.search(asked, 300)
    path = index.store.path
    raw = path.read_bytes()
    for at in range(len(raw) // 4, len(raw) // 2, 512):
        raw = flipped(raw, at)
    path.write_bytes(raw)
    monkeypatch.setattr(verified, "_sound", lambda file: True)
    index.open("f")
    assert index.search(asked, 300) != before


def test_vectors_of_another_generation_never_mix(ledger):
    fill(ledger, clustered(50))
    index = dense(ledger)
    index.rebuild(ledger, "f")
    assert ledger.generation() == 0
    ledger.forget_vectors()
    assert ledger.generation() == 1
    assert ledger.coverage().embedded == 0
    embed(ledger, DIMENSION)
    index = dense(ledger)
    index.rebuild(ledger, "f")
    assert len(index.store) == 50


def test_nothing_embedded_finds_nothing(ledger):
    put(ledger, "/r/a", document("text"))
    index = dense(ledger)
    index.rebuild(ledger, "f")
    index.save()
    index = dense(ledger)
    index.open("f")
    assert index.search(np.ones(DIMENSION) / 4, 5) == []
    fill(ledger, clustered(3), "/r/b")
    index.catch_up(ledger)
    assert len(index.search(np.ones(DIMENSION) / 4, 5)) == 3

"""What every store must do, asked of every engine that can be reached."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from engines import Make

from ragcli.errors import ConfigError
from ragcli.stores.records import Record, Where
from ragcli.stores.store import Store

DIMENSION = 32
THE_SAME_AGAIN = {"chroma-server"}
"""What is asked of another kind in full: the engine is the same, the way to it is not."""


def vectors(count: int, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    """Unit vectors around a few centres, with no more digits than a ledger keeps."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(20, dimension))
    rows = centres[generator.integers(0, 20, count)] + 0.6 * generator.normal(
        size=(count, dimension)
    )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float16).astype(np.float32)


def name(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def records(rows: np.ndarray, start: int = 0, word: str = "text") -> list[Record]:
    """Records of documents with ten chunks, one page each."""
    return [
        Record(
            name(start + at), row, f"{word} {start + at} 'quoted' \u00e4\u4e2d\n", at // 10,
            at % 10 + 1, at % 10 + 2, {"path": f"/r/{at // 10}", "spans": [[0, 1, None, [1, 2]]]},
        )
        for at, row in enumerate(rows)
    ]  # fmt: skip


def put(store: Store, given: list[Record]) -> None:
    for start in range(0, len(given), store.batch_rows):
        store.upsert(given[start : start + store.batch_rows])


def best(
    rows: np.ndarray, asked: np.ndarray, k: int, allowed: list[int] | None = None
) -> list[int]:
    scores = rows.astype(np.float64) @ asked
    order = sorted(range(len(rows)) if allowed is None else allowed, key=lambda i: -scores[i])
    return order[:k]


def test_records_come_back_as_they_were_put(make: Make) -> None:
    store = make(dimension=DIMENSION)
    given = records(vectors(120))
    assert (
        store.count() == 0 and list(store.ids()) == [] and store.nearest(given[0].vector, 3) == []
    )
    put(store, given)
    assert store.settle(120) == 120
    found = store.fetch([record.id for record in given])
    assert [r.id for r in found] == [r.id for r in given]
    for one, other in zip(given, found, strict=True):
        assert (one.text, one.document, one.first_page, one.last_page, one.data) == (
            other.text, other.document, other.first_page, other.last_page, other.data,
        )  # fmt: skip
        lengths = np.linalg.norm(one.vector), np.linalg.norm(other.vector)
        np.testing.assert_allclose(one.vector / lengths[0], other.vector / lengths[1], atol=1e-6)
    assert sorted(store.ids()) == sorted(record.id for record in given)


def test_putting_twice_is_putting_once_and_the_later_wins(make: Make) -> None:
    store = make(dimension=DIMENSION)
    put(store, records(vectors(50)))
    put(store, records(vectors(50)))
    again = records(vectors(50, seed=5), word="newer")
    put(store, again[:20])
    assert store.settle(50) == 50
    assert [r.text for r in store.fetch([r.id for r in again[:20]])] == [r.text for r in again[:20]]
    found = store.nearest(again[3].vector, 1)
    assert found[0][0] == again[3].id


def test_what_was_erased_is_found_no_more(make: Make) -> None:
    store = make(dimension=DIMENSION)
    given = records(vectors(60))
    put(store, given)
    store.settle(60)
    store.erase([given[7].id, given[8].id, name(10**6)])
    assert store.settle(58) == 58
    assert given[7].id not in dict(store.nearest(given[7].vector, 60))
    assert store.fetch([given[7].id]) == []
    store.clear()
    assert store.settle(0) == 0
    assert store.nearest(given[1].vector, 3) == []
    put(store, given[:5])
    assert store.settle(5) == 5


def test_filters_are_applied_before_the_nearest_are_taken(make: Make) -> None:
    store = make(dimension=DIMENSION)
    rows = vectors(600)
    bare = Record(name(10**6), rows[0], "on no page", 1)
    put(store, [*records(rows), bare])
    store.settle(601)
    for asked in vectors(5, seed=3):
        wanted = [i for i in range(600) if i // 10 in (3, 41, 59)]
        found = [id for id, _ in store.nearest(asked, 8, Where(documents=(3, 41, 59)))]
        assert found == [name(i) for i in best(rows, asked, 8, wanted)]
        wanted = [i for i in wanted if i % 10 + 1 <= 4 and i % 10 + 2 >= 3]
        both = Where(documents=(3, 41, 59), pages=(3, 4))
        found = [id for id, _ in store.nearest(asked, 20, both)]
        assert found == [name(i) for i in best(rows, asked, 20, wanted)]
        assert bare.id not in [id for id, _ in store.nearest(asked, 600, Where(pages=(1, 99)))]


def test_scores_are_cosines_on_one_scale(make: Make) -> None:
    store = make(dimension=DIMENSION)
    rows = vectors(200)
    rows[5] = -rows[4]
    put(store, records(rows))
    store.settle(200)
    found = dict(store.nearest(rows[4] / np.linalg.norm(rows[4]), 200))
    assert len(found) == 200
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for at in range(200):
        assert found[name(at)] == pytest.approx(float(unit[at] @ unit[4]), abs=2e-4)
    assert found[name(4)] == pytest.approx(1, abs=1e-4)
    assert found[name(5)] == pytest.approx(-1, abs=1e-4)


def test_ten_thousand_vectors_are_found_as_by_comparing_all(
    make: Make, request: pytest.FixtureRequest
) -> None:
    store = make(dimension=DIMENSION)
    count = 2000 if request.node.callspec.params["make"] in THE_SAME_AGAIN else 10_000
    rows = vectors(count, seed=11)
    put(store, records(rows))
    assert store.settle(count) == count
    hits = 0
    for asked in vectors(50, seed=12):
        found = {id for id, _ in store.nearest(asked, 10)}
        cosines = rows @ asked / np.linalg.norm(rows, axis=1)
        least = np.sort(cosines)[-10] - 1e-6  # of two that are as near as float32 tells, either
        hits += len(found & {name(int(i)) for i in np.flatnonzero(cosines >= least)})
    assert hits / 500 >= (1.0 if store.exact else 0.97)
    assert len(set(store.ids())) == count


def test_a_store_is_there_again_when_it_is_opened_again(make: Make) -> None:
    store = make(dimension=DIMENSION, at="again")
    facts = {"collection": "c", "embedder": "e/1", "splitter": "it's 'quoted' {} %s"}
    assert store.facts() is None
    store.set_facts(facts)
    put(store, records(vectors(30)))
    store.settle(30)
    store.close()
    store = make(at="again")
    assert store.open()
    assert store.facts() == facts
    assert store.count() == 30
    store.set_facts({**facts, "embedder": "e/2"})
    assert (store.facts() or {})["embedder"] == "e/2"


def test_another_dimension_is_refused(make: Make) -> None:
    store = make(dimension=DIMENSION, at="width")
    store.set_facts({"dimension": str(DIMENSION)})
    put(store, records(vectors(3)))
    store.settle(3)
    store.close()
    other = make(at="width")
    with pytest.raises(ConfigError, match=str(DIMENSION + 1)):
        other.open(DIMENSION + 1, create=True)


def test_a_place_that_is_not_there_is_said_to_be_missing(make: Make) -> None:
    options = {"index": "nowhere"} if "Pinecone" in type(make(at="missing")).__name__ else {}
    assert not make(at="missing", **options).open()

"""A collection without its ledger: every engine that can be reached filters by page, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Make
from test_stores_conform import DIMENSION, best, put, records, vectors

from ragcli.errors import UsageError
from ragcli.index.afar import FarCollection
from ragcli.index.rows import Selection
from ragcli.retrieve.filters import parse
from ragcli.settings import Settings
from ragcli.settings import Store as Choice

FACTS = {"model": "m", "embedder": "e/1", "dimension": str(DIMENSION), "splitter": "s/1"}
OTHERS = ["type:pdf", "path:r/**", "-path:r", "title:x", "doc_id:1", "meta:a=b", "before:2024"]


def test_pages_are_filtered_and_other_filters_refused(make: Make) -> None:
    store = make(dimension=DIMENSION)
    store.set_facts(FACTS)
    rows = vectors(200)
    put(store, records(rows))
    store.settle(200)
    settings = Settings(store=Choice(use="qdrant"))
    far = FarCollection("c", store, settings)
    for asked in vectors(3, seed=7):
        for filter, on in (("page:3-4", {3, 4}), ("page:11", {11}), (None, set(range(1, 12)))):
            allowed = parse(filter).select(far.ledger, Path("/")) if filter else None  # type: ignore[arg-type]
            found = far.dense.search(asked, 6, allowed)
            chunks = far.ledger.chunks([key for key, _ in found])
            wanted = [i for i in range(200) if {i % 10 + 1, i % 10 + 2} & on]
            ordinals = [int(chunks[key].text.split()[1]) for key, _ in found]
            assert ordinals == best(rows, asked, 6, wanted)
    assert far.dense.search(rows[0], 6, Selection(pages=(12, 90))) == []
    for other in OTHERS:
        with pytest.raises(UsageError, match="only page:") as raised:
            parse(f"page:3 {other}").select(far.ledger, Path("/"))  # type: ignore[arg-type]
        assert "ragcli sync --from qdrant" in raised.value.fix

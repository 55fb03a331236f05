"""Each engine once for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines import ENGINES, Make, engine


@pytest.fixture(scope="module", params=ENGINES)
def make(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Make]:
    """Makes stores of one engine, each in a new place unless it is told `at`."""
    with engine(request.param, tmp_path_factory.mktemp(request.param)) as making:
        yield making

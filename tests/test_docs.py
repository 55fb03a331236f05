"""Every command that the documentation shows is run, and generated pages are what the program says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dialects import COMPATIBLE
from loopback import loopback

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
ELSEWHERE = re.compile(r"make |pip install|git clone|source |mkdir |docker ")
"""Commands that other tests run, or that would install into this environment."""
EXPECTED = {0, 3}
ANSWER = "At the lathe a full face shield is required [1]."
"""What the model says where a page asks one: a server on this machine in the place of the reader's."""


def commands(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [
        line[2:].split("   #")[0]
        for block in blocks
        for line in block.split("\n")
        if line[:2] == "$ "
    ]
    return [line for line in lines if not ELSEWHERE.match(line)]


def test_the_pages_show_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 10


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder like a checkout, with `ragcli` on the path."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copytree(ROOT / "configs", folder / "configs")
    tools = tmp_path / "bin"
    tools.mkdir()
    program = tools / "ragcli"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ragcli "$@"\n')
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_every_command_of_a_page_works(page: str, checkout: Path, tmp_path: Path) -> None:
    environ = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "1",
    }
    needs_jq = shutil.which("jq") is None
    first = "ragcli ingest examples/workshop"
    with loopback(COMPATIBLE.streamed([ANSWER])) as server:
        for command in [first, *commands(page)]:
            if "| jq" in command and needs_jq:
                continue
            if "--llm openai-compatible" in command:
                command = f"RAGCLI_LLM__BASE_URL={server.url}/v1 {command}"
            result = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command], cwd=checkout, env=environ,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert result.returncode in EXPECTED, f"{command}\n{result.stderr}"
            assert "Traceback" not in result.stderr


def test_generated_pages_are_current() -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_link_to_a_file_leads_somewhere() -> None:
    links = 0
    for page in [
        *PAGES,
        *(str(p.relative_to(ROOT)) for p in (ROOT / "docs/decisions").glob("*.md")),
    ]:
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            links += 1
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
    assert links > 5


def test_the_sample_folder_is_what_its_script_writes(tmp_path: Path) -> None:
    pytest.importorskip("reportlab")
    sys.path.insert(0, str(ROOT / "examples"))
    import make_documents

    make_documents.write_pdf(tmp_path / "safety.pdf")
    assert (tmp_path / "safety.pdf").read_bytes() == (
        ROOT / "examples/workshop/safety.pdf"
    ).read_bytes()

"""The plug for compatible servers against a server that is not ours: `transformers serve`, on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import tinychat
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from ragcli.errors import ModelError, RagcliError
from ragcli.llms import LLMS, Resources
from ragcli.llms.llm import Llm
from ragcli.registry import load

STARTS_S = 180


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def served(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server, which has loaded the small chat model."""
    pytest.importorskip("fastapi", reason="transformers serve needs fastapi")
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn")
    home = tmp_path_factory.mktemp("serve")
    port = free_port()
    program = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "serve", str(chat_model), "--host", "127.0.0.1"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--device", "cpu"],
            env={**os.environ, "HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, home / "log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTS_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start:\n{log.read_text()[-2000:]}")


def build(url: str, model: str) -> Llm:
    plug = load("llm", LLMS, "openai-compatible")
    options = plug.Options(model=model, base_url=url, max_new_tokens=24, retries=0)
    llm: Llm = plug.build(options, Resources(Path("/nowhere"), offline=True))
    return llm


def prompt() -> list[SystemMessage | HumanMessage | AIMessage]:
    texts = [tinychat.fact("lantern", "4821"), tinychat.fact("harbour", "1733")]
    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    asked = tinychat.messages(tinychat.question("harbour"), texts, ["a.md", "b.md"])
    return [kinds[message["role"]](message["content"]) for message in asked]


def test_an_answer_as_a_whole_and_streamed(served: str, chat_model: Path) -> None:
    llm = build(served, str(chat_model))
    whole = llm.model.invoke(prompt())
    assert "1733" in whole.text
    parts = [chunk.text for chunk in llm.model.stream(prompt()) if chunk.text]
    assert "".join(parts) == whole.text
    assert len(parts) > 1


def test_a_model_that_the_server_lacks(served: str, tmp_path: Path) -> None:
    llm = build(served, str(tmp_path / "no-such-model"))
    with pytest.raises(RagcliError) as caught:
        llm.model.invoke(prompt())
    assert isinstance(caught.value, ModelError)


def test_an_address_that_is_not_that_of_the_service(served: str, chat_model: Path) -> None:
    llm = build(served.removesuffix("/v1"), str(chat_model))
    with pytest.raises(RagcliError) as caught:
        llm.model.invoke(prompt())
    assert "llm.base_url" in caught.value.fix

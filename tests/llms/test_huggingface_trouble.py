"""What can go wrong with a model on this machine, and how it is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from asking import asked, built, streamed

from ragcli.errors import ModelError
from ragcli.llms.huggingface_card import read_card
from ragcli.llms.huggingface_count import counter
from ragcli.llms.huggingface_session import Session
from ragcli.llms.huggingface_trouble import explain

Told = dict[str, list[dict[str, Any]]]


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be noticed does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    """Whether the process ends within a while."""
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_an_error_inside_generation_arrives_as_itself(bench: Path, tmp_path: Path) -> None:
    with built(bench / "nan", tmp_path, temperature=1.0) as llm:
        with pytest.raises(ModelError) as caught:
            streamed(llm, asked("harbour"))
        assert caught.value.message.startswith(f"The generation of {bench / 'nan'} failed: ")
        assert "inf" in caught.value.message and "\n" not in caught.value.message
        assert any("Traceback" in note for note in caught.value.__notes__)


def test_a_child_that_is_killed_is_an_error_and_the_next_question_starts_another(
    bench: Path, chat_model: Path, tmp_path: Path
) -> None:
    with built(bench / "endless", tmp_path, max_new_tokens=800) as llm:
        session = llm.model.session
        first = session.pid
        stream = llm.model.stream(asked("harbour"))
        next(stream)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ModelError, match="ended: it was killed, as systems do when memory"):
            list(stream)
        again = llm.model.stream(asked("harbour"))
        assert next(again).text
        assert session.pid != first
        # Whoever stops reading stops the model too.
        second = session.pid
        again.close()
        assert gone(second)


@pytest.mark.parametrize("spin", [False, True])
def test_threads_sleep_while_they_wait_unless_they_are_told_to_spin(spin: bool) -> None:
    session = Session("m", {"spin": spin}, print)
    try:
        environment = Path(f"/proc/{session.pid}/environ")
        if not environment.exists():
            pytest.skip("this system does not show the environment of a process")
        assert (b"OMP_WAIT_POLICY=PASSIVE" in environment.read_bytes()) is not spin
    finally:
        session.close()


PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from asking import asked, built
heavy = {"torch", "transformers", "langchain_huggingface", "peft", "bitsandbytes", "accelerate"}
with built(Path(sys.argv[2]), Path(sys.argv[3]), max_new_tokens=800) as llm:
    print(llm.model.session.pid, flush=True)
    for chunk in llm.model.stream(asked("harbour")):
        print(sorted(heavy & set(sys.modules)), flush=True)
print("finished", flush=True)
"""


def test_a_parent_imports_nothing_that_computes_and_when_it_is_killed_the_child_is_gone(
    bench: Path, tmp_path: Path
) -> None:
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", PARENT, folder, str(bench / "endless"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "[]\n"
        parent.kill()
        rest, _ = parent.communicate()
    assert "finished" not in rest
    assert gone(pid)


def refused(replies: list[dict[str, Any]]) -> str:
    """The one error that was replied, a single line, and nothing of an answer."""
    errors = [reply["error"] for reply in replies if "error" in reply]
    assert len(errors) == 1 and "\n" not in errors[0]
    assert not any("text" in reply for reply in replies)
    return str(errors[0])


def test_code_in_a_model_folder_is_never_run(told: Told, bench: Path) -> None:
    # A kind that transformers knows is loaded by its own class, another is refused.
    assert "".join(reply.get("text", "") for reply in told["code"]).startswith("The code of the")
    assert "needs code of its own, and none is run" in refused(told["own code"])
    assert (bench / "code" / "evil.py").exists()
    assert not list(bench.glob("*code/marker"))


def test_a_template_can_not_reach_python(told: Told) -> None:
    assert "SecurityError" in refused(told["reaches"])


def test_damaged_weights_are_said_in_a_sentence(told: Told, bench: Path) -> None:
    assert refused(told["damaged"]).startswith(f"The loading of {bench / 'damaged'} failed: ")


def test_an_adapter_for_another_model_is_refused(told: Told, chat_model: Path) -> None:
    assert refused(told["foreign"]).startswith(f"The loading of {chat_model} failed: ")
    assert ": Target modules" in refused(told["foreign"])


@pytest.mark.parametrize("template", ["leaves it out", "refuses it"])
def test_a_system_message_reaches_a_model_whose_template_knows_none(
    told: Told, chat_model: Path, template: str
) -> None:
    """It is said at the head of the question."""
    count = counter(read_card("m", chat_model))
    bare = sum(count(str(message.content)) for message in asked("harbour"))
    [done] = [reply["done"] for reply in told[template] if "done" in reply]
    assert done["prompt_tokens"] - bare == 3


def test_want_of_memory_is_said_as_such() -> None:
    for error in (
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ):
        told = explain(error, "some/model", "generation")
        assert (
            told.message == "There is not enough memory for some/model: generation ran out of it."
        )
        assert "llm.quantization" in told.fix


def test_long_errors_are_one_line() -> None:
    told = explain(ValueError("a" * 1000 + "\nand more"), "some/model", "loading")
    assert len(told.message) < 400 and "\n" not in told.message
    assert json.dumps(told.message)

"""What can go wrong with a model on this machine, and how it is said."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from asking import asked, built, edit, streamed

from ragcli.errors import ModelError
from ragcli.llms.huggingface_trouble import explain

EVIL = """
from pathlib import Path
Path({marker!r}).write_text("run")
raise RuntimeError("code of a model was run")
"""


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


INTERRUPTED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from asking import asked, built
with built(Path(sys.argv[2]), Path(sys.argv[3]), max_new_tokens=800) as llm:
    print(llm.model.session.pid, flush=True)
    for chunk in llm.model.stream(asked("harbour")):
        print("heard", flush=True)
print("finished", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_when_the_parent_is_stopped_the_child_is_gone(
    bench: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", INTERRUPTED, folder, str(bench / "endless"), str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout and parent.stderr
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "heard\n"
        # An interrupt at the terminal reaches the whole group.
        (os.killpg if how == signal.SIGINT else os.kill)(parent.pid, how)
        rest, errors = parent.communicate()
    assert "finished" not in rest
    assert how == signal.SIGKILL or "KeyboardInterrupt" in errors
    assert gone(pid)


def test_code_in_a_model_folder_is_never_run(chat_model: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    model = tmp_path / "model"
    shutil.copytree(chat_model, model)
    (model / "evil.py").write_text(EVIL.format(marker=str(marker)))
    classes = dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForCausalLM"), "evil.Evil")
    edit(model / "config.json", auto_map=classes)
    edit(model / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})
    # A kind that transformers knows is loaded by its own class, another is refused.
    with built(model, tmp_path) as llm:
        assert llm.model.invoke(asked("lantern")).text.startswith("The code of the lantern")
    edit(model / "config.json", model_type="evil")
    with (
        pytest.raises(ModelError, match="needs code of its own, and none is run"),
        built(model, tmp_path),
    ):
        pass
    assert not marker.exists()


def test_a_template_can_not_reach_python(chat_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(chat_model, model)
    template = "{{ messages.__class__.__base__.__subclasses__() }}"
    (model / "chat_template.jinja").write_text(template)
    with pytest.raises(ModelError, match="SecurityError"), built(model, tmp_path):
        pass


def test_damaged_weights_are_said_in_a_sentence(chat_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(chat_model, model)
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError) as caught, built(model, tmp_path):
        pass
    assert caught.value.message.startswith(f"The loading of {model} failed: ")
    assert "\n" not in caught.value.message


def test_an_adapter_for_another_model_is_refused(
    chat_model: Path, bench: Path, tmp_path: Path
) -> None:
    pytest.importorskip("peft", reason="the extra `lora` is not installed")
    with (
        pytest.raises(ModelError, match=r"The loading of .* failed: .*: Target modules"),
        built(chat_model, tmp_path, adapter=str(bench / "foreign")),
    ):
        pass


def test_a_system_message_reaches_a_model_whose_template_knows_none(
    chat_model: Path, tmp_path: Path
) -> None:
    """Whether the template refuses it or leaves it out, it is said at the head of the question."""
    lengths = []
    for number, start in enumerate(
        ("", "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}")
    ):
        model = tmp_path / str(number)
        shutil.copytree(chat_model, model)
        (model / "chat_template.jinja").write_text(
            start + "{% for m in messages if m.role == 'user' %}<|user|>{{ m.content }}"
            "{% endfor %}<|assistant|>\n"
        )
        with built(model, tmp_path) as llm:
            _, whole = streamed(llm, asked("harbour"))
            system, human = (llm.count(str(message.content)) for message in asked("harbour"))
        assert whole.usage_metadata is not None
        lengths.append(whole.usage_metadata["input_tokens"] - system - human)
    assert lengths == [3, 3]


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

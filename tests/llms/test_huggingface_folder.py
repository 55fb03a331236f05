"""Where a model on this machine is looked for, and which folders, options and devices are refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asking import edit, options
from pydantic import ValidationError

from ragcli.errors import ConfigError, ModelError, NetworkError
from ragcli.llms import LLMS, Resources
from ragcli.llms.huggingface_card import read_adapter, read_card
from ragcli.models.gpu import gpu_trouble
from ragcli.registry import load

COMMIT = "c" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that has the files of a model; nothing is loaded from it here."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(
        json.dumps({"model_type": "llama", "max_position_embeddings": 2048})
    )
    (model / "tokenizer.json").write_text("{}")
    (model / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 10**30}))
    (model / "model.safetensors").write_bytes(b"weights")
    return model


def describe(model: Path | str, **chosen: Any) -> Any:
    plug = load("llm", LLMS, "huggingface")
    offline = chosen.pop("offline", True)
    return plug.describe(options(model, **chosen), Resources(Path("/nowhere"), offline=offline))


def test_a_folder_is_described_without_loading_it(folder: Path) -> None:
    found = describe(folder)
    assert (found.source, found.folder, found.host) == ("folder", folder, None)
    card = read_card("x", folder)
    assert (card.window, card.stored_as, card.bytes) == (2048, None, 7)


def test_the_shorter_length_counts(folder: Path) -> None:
    edit(folder / "tokenizer_config.json", model_max_length=1000)
    assert read_card("x", folder).window == 1000
    edit(folder / "config.json", max_position_embeddings=None, text_config={"n_positions": 512})
    assert read_card("x", folder).window == 512


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"its folder has no {name}"):
        describe(folder)


def test_weights_of_another_kind_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError) as caught:
        describe(folder)
    assert "it has no safetensors weights (pytorch_model.bin is none)" in caught.value.message


def test_every_part_of_the_weights_must_be_there(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    parts = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": parts}))
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.safetensors of its weights is"):
        describe(folder)
    (folder / parts["b"]).write_bytes(b"more")
    assert read_card("x", folder).bytes == 11
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    with pytest.raises(ModelError, match="is missing"):
        describe(folder)


@pytest.mark.parametrize("text", ["[]", "{", '{"max_position_embeddings": "many"}', "nonsense"])
def test_a_configuration_that_is_none_is_said_to_be_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match="its configuration is not of the kind"):
        describe(folder)


def test_an_adapter_is_no_model_and_a_model_no_adapter(folder: Path) -> None:
    with pytest.raises(ModelError, match="holds no adapter"):
        describe(folder, adapter=str(folder))
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    with pytest.raises(ModelError, match="it is an adapter") as caught:
        describe(folder)
    assert "llm.adapter" in caught.value.fix


def test_an_adapter_is_lora_in_safetensors(tmp_path: Path) -> None:
    config = tmp_path / "adapter_config.json"
    config.write_text(json.dumps({"peft_type": "PROMPT_TUNING"}))
    (tmp_path / "adapter_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"no adapter_model\.safetensors"):
        read_adapter(str(tmp_path))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelError, match="of the kind PROMPT_TUNING"):
        read_adapter(str(tmp_path))


def test_the_cache_of_the_hub_is_read_at_its_revision(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = tmp_path / "hub"
    repository = hub / "models--some--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "v2").write_text(COMMIT)
    snapshot = repository / "snapshots" / COMMIT
    shutil.copytree(folder, snapshot)
    monkeypatch.setattr("ragcli.llms.huggingface_find.default_hub_cache", lambda: hub)
    for revision in ("v2", COMMIT):
        found = describe("some/model", revision=revision)
        assert (found.source, found.folder) == ("cache", snapshot)
    for revision in (None, "v3"):
        with pytest.raises(
            NetworkError, match=r"some/model is not on this machine and the network"
        ):
            describe("some/model", revision=revision)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(NetworkError):
        describe("some/model", revision="v2")
    monkeypatch.chdir(folder.parent)
    with pytest.raises(NetworkError) as caught:
        describe(folder.name)
    assert f"write ./{folder.name}" in caught.value.fix
    # One that has to be fetched first is not begun while something else is done.
    plug = load("llm", LLMS, "huggingface")
    resources = Resources(Path("/nowhere"))
    assert plug.begin(options("some/model", revision="v2"), resources) is None
    # Where the network may be used, describing names the host and still asks nobody.
    found = describe("some/model", offline=False)
    assert (found.source, found.folder, found.host) == ("hub", None, "huggingface.co")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "NetworkError The model nobody/nothing is not on this machine and the Hub cannot be"),
        ("503 Busy", "NetworkError The model nobody/nothing is not on this machine and the Hub"),
        ("404 Not Found\r\nX-Error-Code: RepoNotFound", "ModelError The Hub has no model nobody/"),
        ("403 Forbidden\r\nX-Error-Code: GatedRepo", "ModelError The Hub does not let you read"),
    ],
)
def test_the_hub_is_asked_once_and_briefly(tmp_path: Path, answer: str, expected: str) -> None:
    script = """
import os, socket, sys, threading
from pathlib import Path
answer, home = sys.argv[1:]
server = socket.create_server(("127.0.0.1", 0))
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:%d" % server.getsockname()[1]
def serve():
    while True:
        client, _ = server.accept()
        request = client.recv(65536)
        assert request.startswith(b"GET /api/models/nobody/nothing"), request
        assert b"authorization: Bearer hf_secret" in request, request
        client.sendall(f"HTTP/1.1 {answer}\\r\\nContent-Length: 0\\r\\n\\r\\n".encode())
        client.close()
if answer:
    threading.Thread(target=serve, daemon=True).start()
else:
    server.close()
from ragcli.llms import LLMS, Resources
from ragcli.registry import load
from ragcli.errors import RagcliError
plug = load("llm", LLMS, "huggingface")
try:
    resources = Resources(Path(home), keys={"HF_TOKEN": "hf_secret"})
    plug.build(plug.Options(model="nobody/nothing", device="cpu"), resources)
except RagcliError as error:
    print(type(error).__name__, error.message)
"""
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", script, answer, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout.startswith(expected), done.stderr
    assert "hf_secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"quantization": "int8-cpu", "device": "cuda"}, "int8-cpu runs on a processor alone"),
        ({"quantization": "4bit", "device": "mps"}, "4bit does not run on mps"),
        ({"device": "cpu", "device_map": "auto"}, "but llm.device is cpu"),
        ({"max_memory": {"0": "1GiB"}}, "has no meaning without llm.device_map"),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    folder: Path, chosen: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        describe(folder, **chosen)


@pytest.mark.parametrize("chosen", [{"quantization": "3bit"}, {"device": "tpu"}, {"modle": "x"}])
def test_unknown_options_are_refused(chosen: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options("x", **chosen)


def test_what_is_stored_quantized_is_not_quantized_again(folder: Path) -> None:
    edit(folder / "config.json", quantization_config={"quant_method": "awq"})
    assert describe(folder).source == "folder"
    with pytest.raises(ConfigError, match=r"stored quantized already \(awq\)"):
        describe(folder, quantization="4bit")


@pytest.mark.parametrize("chosen", [{"device": "cuda"}, {"device": "auto", "device_map": "auto"}])
def test_a_device_that_is_not_there_is_an_error(folder: Path, chosen: dict[str, Any]) -> None:
    trouble = gpu_trouble()
    if trouble is None:
        pytest.skip("this machine has a CUDA GPU")
    plug = load("llm", LLMS, "huggingface")
    with pytest.raises(ModelError, match=trouble):
        plug.build(options(folder, **chosen), Resources(Path("/nowhere"), offline=True))


def test_the_window_leaves_room_for_an_answer(folder: Path) -> None:
    plug = load("llm", LLMS, "huggingface")
    resources = Resources(Path("/nowhere"), offline=True)
    with pytest.raises(ConfigError, match=r"max_new_tokens is 2048, but .* reads 2048 tokens"):
        plug.build(options(folder, max_new_tokens=2048), resources)
    edit(folder / "config.json", max_position_embeddings=None)
    with pytest.raises(ConfigError, match="does not say how many tokens it reads"):
        plug.build(options(folder), resources)
    with pytest.raises(ModelError, match=r"The tokenizer\.json of .* cannot be read"):
        plug.build(options(folder, window=512), resources)

"""Where a model is looked for, in which order, and what is said when it is nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from models import make_model

from ragcli.embedders import describe
from ragcli.embedders.digests import file_digest
from ragcli.embedders.locate import PACKAGES, Packaged, _packaged, full_name, locate
from ragcli.errors import ConfigError, ModelError, NetworkError
from ragcli.settings import Embedder

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
COMMIT = "a" * 40


def cached(hub: Path, model: str, commit: str = COMMIT, branch: str = "main") -> Path:
    """A model laid out as the Hugging Face cache lays it out."""
    repository = hub / f"models--{model.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / branch).write_text(commit)
    return make_model(repository / "snapshots" / commit)


def test_a_folder_is_meant_only_by_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = make_model(tmp_path / "mine" / "model")
    for name in ("./mine/model", str(folder)):
        found = locate(name, None, tmp_path / "c", True, tmp_path / "hub")
        assert (found.folder, found.source) == (folder, "folder")
    with pytest.raises(NetworkError):
        locate("mine/model", None, tmp_path / "c", True, tmp_path / "hub")


def test_a_folder_that_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model folder"):
        locate(str(tmp_path / "absent"), None, tmp_path, True)
    with pytest.raises(ModelError, match="holds no model"):
        locate(str(tmp_path), None, tmp_path, True)


def test_the_cache_of_the_hub_comes_before_the_package(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    assert locate(DEFAULT, None, tmp_path / "c", True, hub).source == "package"
    folder = cached(hub, DEFAULT)
    found = locate(DEFAULT, None, tmp_path / "c", True, hub)
    assert (found.folder, found.source) == (folder, "cache")


def test_a_revision_is_honoured(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    folder = cached(hub, "some/model", branch="v2")
    for revision in ("v2", COMMIT):
        assert locate("some/model", revision, tmp_path, True, hub).folder == folder
    for revision in (None, "v3"):
        with pytest.raises(NetworkError):
            locate("some/model", revision, tmp_path, True, hub)
    published = PACKAGES[DEFAULT].revision
    assert locate(DEFAULT, published[:8], tmp_path, True, hub).source == "package"
    with pytest.raises(NetworkError):
        locate(DEFAULT, "another", tmp_path, True, hub)


@pytest.mark.parametrize(
    "missing", ["modules.json", "model.safetensors", "tokenizer.json", "config.json"]
)
def test_half_a_snapshot_is_not_a_model(tmp_path: Path, missing: str) -> None:
    folder = cached(tmp_path / "hub", "some/model")
    (folder / missing).unlink()
    with pytest.raises(NetworkError):
        locate("some/model", None, tmp_path, True, tmp_path / "hub")


def test_a_model_known_to_have_no_modules_is_whole(tmp_path: Path) -> None:
    folder = cached(tmp_path / "hub", "some/model")
    (folder / "modules.json").unlink()
    note = folder.parents[1] / ".no_exist" / COMMIT / "modules.json"
    note.parent.mkdir(parents=True)
    note.touch()
    assert locate("some/model", None, tmp_path, True, tmp_path / "hub").folder == folder


def test_changed_weights_in_the_package_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "path" / "some_packaged_model"
    make_model(package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('a package of a model was imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    weights = package / "model" / "model.safetensors"
    digest = file_digest(weights, tmp_path / "c")
    packaged = Packaged("some_packaged_model", "model", COMMIT, digest)
    assert _packaged(packaged, tmp_path / "c") == package / "model"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelError, match="not the published ones"):
        _packaged(packaged, tmp_path / "c")


def test_a_digest_is_remembered_and_forgotten_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = file_digest(path, tmp_path / "c")
    notes = list((tmp_path / "c" / "digests").iterdir())
    assert len(notes) == 1
    notes[0].write_text("{ broken")
    assert file_digest(path, tmp_path / "c") == first
    path.write_bytes(b"two")
    assert file_digest(path, tmp_path / "c") != first


def test_offline_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as caught:
        describe(Embedder(model="nobody/nothing"), tmp_path, offline=True)
    assert caught.value.message == (
        "The model nobody/nothing is not on this machine and the network is off."
    )
    assert "embedder.model" in caught.value.fix


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "NetworkError The model nobody/nothing is not on this machine and the Hub cannot"),
        ("503 Busy", "NetworkError The model nobody/nothing is not on this machine and the Hub"),
        (
            "404 Not Found\r\nX-Error-Code: RepoNotFound",
            "ModelError The Hub has no model nobody/nothing that",
        ),
    ],
)
def test_the_hub_is_asked_once_and_briefly(
    tmp_path: Path, answer: str | None, expected: str
) -> None:
    script = """
import os, socket, sys, threading
from pathlib import Path
answer, folder = sys.argv[1:]
server = socket.create_server(("127.0.0.1", 0))
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:%d" % server.getsockname()[1]
def serve():
    while True:
        client, _ = server.accept()
        client.recv(65536)
        client.sendall(f"HTTP/1.1 {answer}\\r\\nContent-Length: 0\\r\\n\\r\\n".encode())
        client.close()
if answer:
    threading.Thread(target=serve, daemon=True).start()
else:
    server.close()
from ragcli.embedders.locate import locate
from ragcli.errors import RagcliError
try:
    locate("nobody/nothing", None, Path(folder), False, Path(folder))
except RagcliError as error:
    print(type(error).__name__, error.message)
"""
    command = [sys.executable, "-c", script, answer or "", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith(expected), done.stderr


def test_a_bare_name_means_sentence_transformers() -> None:
    assert full_name("all-MiniLM-L6-v2") == DEFAULT
    for name in (DEFAULT, "./model", "/model", "~/model"):
        assert full_name(name) == name


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    for options, key in (({"modle": "x"}, "modle"), ({"precision": "int4"}, "precision")):
        with pytest.raises(ConfigError) as caught:
            describe(Embedder(**options), tmp_path, offline=True)
        assert caught.value.message.startswith(f"embedder.{key}: ")


def test_describing_loads_nothing_heavy(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from ragcli.embedders import describe
from ragcli.settings import Embedder
info = describe(Embedder(), Path(sys.argv[1]), offline=True)
heavy = {"torch", "transformers", "numpy", "onnxruntime", "tokenizers", "httpx", "langchain_core"}
print(sorted(heavy & set(sys.modules)), info.dimension, info.max_tokens, info.source)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(tmp_path / "hf")},
    )
    assert done.stdout.strip() == "[] 384 256 package", done.stderr

"""A collection under a hard life: killed writers, full disks, damaged files, readers meanwhile."""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import collection_child as child
import numpy as np
import pytest
from test_ledger import content, document, embed, put
from test_lexical import damages

from ragcli.errors import (
    CollectionBusy,
    CollectionDamaged,
    CollectionMissing,
    FingerprintMismatch,
    StorageError,
)
from ragcli.index import fingerprint
from ragcli.index.collection import Collection
from ragcli.index.rows import Selection

CHILD = Path(child.__file__)
ASKED = np.random.default_rng(1).normal(size=8)
ASKED /= np.linalg.norm(ASKED)


def opened(directory, **options):
    return Collection.open(directory, "c", child.SETTINGS, **options)


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, CHILD, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def answers(collection):
    """What searches find, told by texts and rounded scores, for keys are those of one run."""
    ledger = collection.ledger
    words = [collection.lexical.search(f"file {n} part 1", 2000) for n in range(child.FILES)]
    near = collection.dense.search(ASKED, 3)
    found = [{ledger.chunks([key])[key].id for key, _ in hits} for hits in words]
    return found, [pytest.approx(score, abs=1e-4) for _, score in near]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """What a run that nothing disturbed leaves."""
    directory = tmp_path_factory.mktemp("clean")
    with opened(directory, create=True) as collection:
        child.write(collection)
        assert [state for _, state, _ in collection.health()] == ["ok"] * 3
        return content(collection.ledger), answers(collection)


def assert_finishes_like(clean, directory):
    """Whatever happened before: it opens, it is sound, and a second run ends as a clean one."""
    with opened(directory, create=True) as collection:
        assert collection.ledger.check() == []
        for path, chunks in seen_versions(collection.ledger).items():
            versions = {text.split()[6] for text in chunks}
            assert len(versions) == 1, f"{path} is a mixture"
            assert len(chunks) == int(chunks[0].split()[5])
        if collection.ledger.coverage().chunks:
            answers(collection)
        child.write(collection, versions=[child.VERSIONS - 1])
        assert (content(collection.ledger), answers(collection)) == clean
        assert [state for _, state, _ in collection.health()] == ["ok"] * 3


def seen_versions(ledger):
    """The texts of each file, read at one moment."""
    seen = {}
    for path, text in ledger.query(
        "SELECT f.path, c.text FROM files f JOIN documents d ON d.file = f.id"
        " JOIN chunks c ON c.document = d.id WHERE f.state = 'ready' ORDER BY c.key"
    ):
        seen.setdefault(path, []).append(text)
    return seen


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_writer_loses_nothing(tmp_path, clean, seed):
    generator = random.Random(seed)
    writer = start("write", tmp_path)
    for _ in range(generator.randrange(2, 38)):
        writer.stdout.readline()
    time.sleep(generator.random() * 0.05)
    writer.kill()
    writer.communicate()
    assert_finishes_like(clean, tmp_path)


@pytest.mark.parametrize("limit", [1, 5_000, 60_000, 150_000, 300_000])
def test_a_file_that_may_not_grow_is_told_and_nothing_is_lost(tmp_path, clean, limit):
    writer = start("write", tmp_path, limit)
    said = writer.communicate()[0].splitlines()
    kind, message, fix = json.loads(said[-1])
    assert kind == "StorageError", said[-1]
    assert message.endswith(".") and "\n" not in message and fix
    assert_finishes_like(clean, tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
@pytest.mark.parametrize("kilobytes", [40, 200, 400, 700])
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path, clean, kilobytes):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", disk]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let a test mount a disk")
    try:
        writer = start("write", disk)
        said = writer.communicate()[0].splitlines()
        assert json.loads(said[-1])[0] == "StorageError", said[-1]
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert_finishes_like(clean, disk)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
def test_a_question_is_answered_from_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", disk]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let a test mount a disk")
    try:
        with opened(disk, create=True) as collection:
            child.write(collection)
            expected = answers(collection)
        shutil.rmtree(disk / "collections" / "c" / "lexical")
        (disk / "collections" / "c" / "dense.faiss").write_bytes(b"x")
        with pytest.raises(OSError, match="space"), (disk / "rest").open("wb") as rest:
            while True:
                rest.write(bytes(4096))
                rest.flush()
        with opened(disk) as collection:
            assert answers(collection) == expected
            assert len(collection.warnings) >= 2
        with opened(disk) as collection, pytest.raises(StorageError), collection.writing():
            put(collection.ledger, "/r/new", document(*(f"new {i}" * 99 for i in range(300))))
        (disk / "rest").unlink()
        with opened(disk) as collection:
            collection.refresh()
            assert [state for _, state, _ in collection.health()] == ["ok"] * 3
            assert answers(collection) == expected
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_damaged_index_is_noticed_and_built_anew(tmp_path, clean):
    with opened(tmp_path, create=True) as collection:
        child.write(collection)
    folder = tmp_path / "collections" / "c"
    generator = random.Random(1)
    for turn in range(10):
        derived = sorted((folder / "lexical").glob("[!.]*"))
        path = folder / "dense.faiss" if turn % 5 == 0 else generator.choice(derived)
        label, damage = generator.choice(list(damages(path)))
        damage()
        with opened(tmp_path) as collection:
            assert answers(collection) == clean[1], f"{path.name} {label}"
            assert len(collection.warnings) == (label != "deleted" or path.name != "dense.faiss")
        with opened(tmp_path) as collection:
            collection.refresh()
            assert collection.warnings == []
    shutil.rmtree(folder / "lexical")
    (folder / "dense.faiss").unlink()
    with opened(tmp_path) as collection:
        assert answers(collection) == clean[1]
        assert collection.warnings == []


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("how", ["emptied", "deleted"])
def test_a_lost_ledger_is_not_taken_for_a_new_one(tmp_path, how, create):
    with opened(tmp_path, create=True) as collection:
        child.write(collection)
    ledger = tmp_path / "collections" / "c" / "ledger.db"
    if how == "emptied":
        os.truncate(ledger, 0)
    else:
        ledger.unlink()
    with pytest.raises(CollectionDamaged) as caught:
        opened(tmp_path, create=create)
    assert "backup" in caught.value.fix
    shutil.rmtree(ledger.parent)
    opened(tmp_path, create=True).close()


def test_repair_builds_from_the_ledger_alone(tmp_path, clean):
    with opened(tmp_path, create=True) as collection:
        child.write(collection)
    folder = tmp_path / "collections" / "c"
    (folder / "dense.faiss").write_bytes(b"x" * 1000)
    (folder / "lexical" / "meta.json").write_text("{}")
    with opened(tmp_path) as collection:
        assert [state for _, state, _ in collection.health()] == ["ok", "damaged", "damaged"]
        assert len(collection.repair()) == 2
        assert [state for _, state, _ in collection.health()] == ["ok"] * 3
        assert answers(collection) == clean[1]


def test_readers_never_see_half_a_publish(tmp_path):
    with opened(tmp_path, create=True) as collection:
        put(collection.ledger, "/r/0", document("file 0 part 0 of 1 version0 x"))
    writer = start("write", tmp_path)
    rounds, warned = 0, set()
    while writer.poll() is None:
        with opened(tmp_path) as collection:
            for path, chunks in seen_versions(collection.ledger).items():
                assert len({text.split()[6] for text in chunks}) == 1, path
                assert len(chunks) == int(chunks[0].split()[5])
            hits = collection.lexical.search("part 1", 50)
            near = collection.dense.search(ASKED, 50)
            collection.ledger.chunks([key for key, _ in hits + near])
            collection.refresh()
            warned.update(collection.warnings)
        rounds += 1
    assert writer.communicate()[0].splitlines()[-1] == "done"
    assert rounds > 3
    assert not [warning for warning in warned if "damaged" in warning]


def test_a_second_writer_is_told_who_writes(tmp_path):
    holder = start("hold", tmp_path)
    try:
        assert holder.stdout.readline() == "holding\n"
        with (
            opened(tmp_path) as collection,
            pytest.raises(CollectionBusy, match=str(holder.pid)),
            collection.writing(),
        ):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with opened(tmp_path) as collection, collection.writing(), collection.writing():
        put(collection.ledger, "/r/a", document("a"))


def test_while_another_writes_the_dense_index_follows_in_memory(tmp_path):
    with opened(tmp_path, create=True) as collection:
        child.write(collection)
    holder = start("hold", tmp_path)
    try:
        assert holder.stdout.readline() == "holding\n"
        with opened(tmp_path) as other:
            put(other.ledger, "/r/new", document("entirely new"))
            embed(other.ledger)
            count = other.ledger.coverage().embedded
        with opened(tmp_path) as reader:
            assert len(reader.dense.search(ASKED, count, Selection())) >= count - 5
            assert reader.lexical.search("entirely", 5) == []
            assert reader.warnings == ["The newest documents are not searched by their words yet."]
    finally:
        holder.kill()
        holder.communicate()
    with opened(tmp_path) as reader:
        assert len(reader.lexical.search("entirely", 5)) == 1
        assert reader.warnings == []


@pytest.fixture
def readable():
    """A collection that anyone may read and nobody may write, outside of pytest's private folder."""
    folder = Path(tempfile.mkdtemp(prefix="ragcli-test-"))
    folder.chmod(0o755)
    with opened(folder / "data", create=True) as collection:
        child.write(collection)
        expected = collection.lexical.search("part 2", 5)
    yield folder, expected
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def lock_down(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)


def search_as_a_stranger(folder):
    out, problem = start("search", folder / "data").communicate()
    assert out, problem
    said = json.loads(out.splitlines()[0])
    assert len(said) == 4, said
    return said


def test_a_read_only_collection_answers(readable):
    folder, expected = readable
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    lock_down(folder)
    hits, near, warnings, readonly = search_as_a_stranger(folder)
    assert [tuple(hit) for hit in hits] == expected
    assert len(near) == 5
    assert (warnings, readonly) == ([], True)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_read_only_collection_with_damaged_indexes_answers(readable):
    folder, expected = readable
    (next((folder / "data").rglob("*.term"))).unlink()
    (next((folder / "data").rglob("dense.faiss"))).write_bytes(b"")
    lock_down(folder)
    hits, near, warnings, _ = search_as_a_stranger(folder)
    assert [key for key, _ in hits] == [key for key, _ in expected]
    assert len(near) == 5
    assert len(warnings) == 2


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_read_only_collection_is_not_written(readable):
    folder, _ = readable
    lock_down(folder)
    with (
        Collection.open(folder / "data", "c", child.SETTINGS) as collection,
        pytest.raises(StorageError),
        collection.writing(),
    ):
        pass


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_everything_is_private(tmp_path, umask):
    before = os.umask(umask)
    try:
        with opened(tmp_path / "data", create=True) as collection:
            child.write(collection)
    finally:
        os.umask(before)
    paths = list((tmp_path / "data").rglob("*"))
    assert len(paths) > 8
    for path in [tmp_path / "data", *paths]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_an_older_ledger_put_back_is_followed(tmp_path):
    with opened(tmp_path, create=True) as collection, collection.writing():
        put(collection.ledger, "/r/a", document("alpha", "beta"))
        embed(collection.ledger)
        collection.refresh()
    path = tmp_path / "collections" / "c" / "ledger.db"
    backup = path.read_bytes()
    with opened(tmp_path) as collection, collection.writing():
        put(collection.ledger, "/r/b", document("gamma", "delta"))
        embed(collection.ledger)
        collection.refresh()
    path.write_bytes(backup)
    with opened(tmp_path) as collection, collection.writing():
        put(collection.ledger, "/r/c", document("epsilon", "zeta", "eta"))
        embed(collection.ledger)
        collection.refresh()
        assert collection.lexical.search("gamma", 5) == []
        assert len(collection.lexical.search("epsilon", 5)) == 1
        assert len(collection.dense.search(ASKED, 10)) == 5


def test_the_log_is_compacted_and_indexes_behind_it_start_anew(tmp_path):
    with opened(tmp_path, create=True) as collection:
        with collection.writing():
            put(collection.ledger, "/r/a", document("alpha"))
            collection.refresh()
        for number in range(12):
            with collection.writing():
                put(collection.ledger, "/r/b", *(document(f"{number} {i}") for i in range(400)))
        assert collection.ledger.query("SELECT count(*) FROM changes")[0][0] < 5000
        embed(collection.ledger)
        collection.refresh()
        assert collection.lexical.count() == len(collection.dense.store) == 401
        position = collection.ledger.position()
        assert collection.lexical.position == collection.dense.position == position


def test_there_is_no_collection_until_one_is_made(tmp_path):
    with pytest.raises(CollectionMissing) as caught:
        opened(tmp_path)
    assert "ragcli ingest" in caught.value.fix


class Embedder:
    model = "tiny"
    dimension = 8

    def __init__(self, digest):
        self.fingerprint = digest


def test_another_embedder_is_refused_until_it_is_adopted(tmp_path):
    with opened(tmp_path, create=True) as collection, collection.writing():
        ledger = collection.ledger
        first = fingerprint.compute(Embedder("a" * 64), "split/1")
        fingerprint.check(ledger, first)
        fingerprint.adopt(ledger, first)
        put(ledger, "/r/a", document("alpha"))
        embed(ledger)
        collection.refresh()
        fingerprint.check(ledger, first)
        assert collection.built_with("model") == "tiny"
        for other in (
            fingerprint.compute(Embedder("b" * 64), "split/1"),
            fingerprint.compute(Embedder("a" * 64), "split/2"),
        ):
            with pytest.raises(FingerprintMismatch, match=r"built|split"):
                fingerprint.check(ledger, other)
        fingerprint.adopt(ledger, fingerprint.compute(Embedder("b" * 64), "split/1"))
        assert ledger.coverage().embedded == 0
        collection.refresh()
        assert len(collection.dense.store) == 0
        embed(ledger)
        collection.refresh()
        assert len(collection.dense.store) == 1

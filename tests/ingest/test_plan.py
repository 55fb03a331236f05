"""What becomes of each file: unchanged, touched, moved, copied, read, failed as before; and the roots."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from ragcli.errors import UsageError
from ragcli.index.ledger import Ledger
from ragcli.index.rows import FileFacts
from ragcli.ingest.plan import Known, Plan, plan
from ragcli.ingest.roots import resolve
from ragcli.ingest.scan import Found, Rulebook, Scan
from ragcli.types import Chunk, SplitDocument

PARSER = "text/1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


@pytest.fixture
def ledger(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    yield ledger
    ledger.close()


def facts(path: Path) -> FileFacts:
    status, digest = path.stat(), sha256(path.read_bytes()).hexdigest()
    root = str(path.parent)
    return FileFacts(str(path), root, status.st_size, status.st_mtime_ns, digest, "text", PARSER)


def ingest(ledger: Ledger, *paths: Path) -> None:
    for path in paths:
        staged = ledger.stage(facts(path))
        ledger.add_document(staged, SplitDocument([Chunk(path.read_text(), (), (), 3)]))
        ledger.publish(staged)


def planned(ledger: Ledger, root: Path, *, current: str = PARSER, force: bool = False) -> Plan:
    found = [item for item in Scan([str(root)], Rulebook()) if isinstance(item, Found)]
    rows = {row.path: row for row in ledger.files()}
    here = {item.path for item in found}
    gone = [row for path, row in rows.items() if path not in here]
    known = Known(rows, lambda row: row.parser == current)
    result = plan(found, known, gone, force=force)
    assert len(found) == result.unchanged + sum(
        len(part)
        for part in (
            *(result.touched, result.failed, result.moved, result.copied, result.read),
            result.twins,
        )
    )
    return result


def names(pairs: list[tuple[object, object]]) -> list[str]:
    return [Path(one.path).name for one, _ in pairs]


def test_unchanged_costs_no_reading(folder: Path, ledger: Ledger) -> None:
    path = folder / "a.txt"
    path.write_text("one")
    ingest(ledger, path)
    status = path.stat()
    path.write_text("two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert planned(ledger, folder).unchanged == 1


def test_touched_is_the_same_bytes_at_another_time(folder: Path, ledger: Ledger) -> None:
    path = folder / "a.txt"
    path.write_text("one")
    ingest(ledger, path)
    os.utime(path, ns=(1, 1))
    assert len(planned(ledger, folder).touched) == 1
    path.write_text("two")
    assert names(planned(ledger, folder).read) == ["a.txt"]


def test_another_reader_or_force_reads_again(folder: Path, ledger: Ledger) -> None:
    (folder / "a.txt").write_text("one")
    ingest(ledger, folder / "a.txt")
    assert names(planned(ledger, folder, current="text/2").read) == ["a.txt"]
    assert names(planned(ledger, folder, force=True).read) == ["a.txt"]


def test_moved_copied_twin(folder: Path, ledger: Ledger) -> None:
    (folder / "a.txt").write_text("moved and copied")
    (folder / "b.txt").write_text("copied")
    ingest(ledger, folder / "a.txt", folder / "b.txt")
    (folder / "a.txt").rename(folder / "c.txt")
    (folder / "d.txt").write_text("moved and copied")
    (folder / "e.txt").write_text("copied")
    (folder / "f.txt").write_text("new")
    (folder / "g.txt").write_text("new")
    result = planned(ledger, folder)
    assert [(Path(row.path).name, Path(item.path).name) for row, item in result.moved] == [
        ("a.txt", "c.txt")
    ]
    assert {Path(item.path).name for _, item in result.copied} == {"d.txt", "e.txt"}
    assert names(result.read) == ["f.txt"]
    assert names(result.twins) == ["g.txt"]
    assert result.gone == []


def test_another_suffix_may_mean_another_reader(folder: Path, ledger: Ledger) -> None:
    (folder / "a.txt").write_text("# text")
    ingest(ledger, folder / "a.txt")
    (folder / "a.txt").rename(folder / "a.md")
    result = planned(ledger, folder)
    assert (names(result.read), [Path(row.path).name for row in result.gone]) == (
        ["a.md"],
        ["a.txt"],
    )


def test_what_failed_is_not_tried_again_until_it_changes(folder: Path, ledger: Ledger) -> None:
    path = folder / "a.txt"
    path.write_text("one")
    ledger.fail(facts(path), "no")
    assert [row.error for row in planned(ledger, folder).failed] == ["no"]
    path.write_text("three")
    assert names(planned(ledger, folder).read) == ["a.txt"]


def test_roots_resolve_links_and_refuse_what_is_not_there(folder: Path, ledger: Ledger) -> None:
    (folder.parent / "link").symlink_to("docs")
    assert resolve([folder.parent / "link"], ledger).walk == [str(folder)]
    with pytest.raises(UsageError, match="does not exist"):
        resolve([folder, folder / "nothing"], ledger)


def test_without_paths_every_root_is_covered(folder: Path, ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="Nothing was ingested"):
        resolve([], ledger)
    ledger.add_root(str(folder))
    assert resolve([], ledger).scope == [str(folder)]


def test_a_root_that_vanished_is_missing_and_not_deleted(folder: Path, ledger: Ledger) -> None:
    (folder / "a.txt").write_text("one")
    ingest(ledger, folder / "a.txt")
    ledger.add_root(str(folder))
    folder.rename(folder.parent / "elsewhere")
    roots = resolve([], ledger)
    assert (roots.walk, roots.scope) == ([], [])
    assert "ragcli rm" in roots.missing[0][1]
    with pytest.raises(UsageError, match="is missing"):
        resolve([folder], ledger)


def test_a_part_of_a_root_that_vanished_is_deleted(folder: Path, ledger: Ledger) -> None:
    sub = folder / "sub"
    sub.mkdir()
    (folder / "a.txt").write_text("one")
    (sub / "b.txt").write_text("two")
    ingest(ledger, folder / "a.txt", sub / "b.txt")
    ledger.add_root(str(folder))
    ledger.add_root(str(sub))
    (sub / "b.txt").unlink()
    sub.rmdir()
    roots = resolve([sub], ledger)
    assert (roots.walk, roots.scope, roots.gone) == ([], [str(sub)], [str(sub)])
    assert resolve([], ledger).gone == [str(sub)]


def test_a_named_file_that_was_deleted(folder: Path, ledger: Ledger) -> None:
    path = folder / "a.txt"
    path.write_text("one")
    (folder / "other.txt").write_text("two")
    ingest(ledger, path)
    ledger.add_root(str(path))
    path.unlink()
    assert resolve([], ledger).gone == [str(path)]
    assert resolve([path], ledger).scope == [str(path)]


def test_roots_inside_the_paths_are_named_too(folder: Path, ledger: Ledger) -> None:
    (folder / ".hidden.txt").write_text("one")
    ledger.add_root(str(folder / ".hidden.txt"))
    assert resolve([folder], ledger).walk == [str(folder), str(folder / ".hidden.txt")]

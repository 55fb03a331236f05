"""The walk: what is found, what is left out and why, in which order, and each path once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ragcli.ingest.names import is_key
from ragcli.ingest.scan import Found, Rulebook, Scan, Skipped


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}\n")


def found(*roots: Path, **options: object) -> list[str]:
    items = Scan([str(root) for root in roots], Rulebook(**options))
    return [os.path.basename(item.path) for item in items if isinstance(item, Found)]


def reasons(*roots: Path, **options: object) -> dict[str, str]:
    items = list(Scan([str(root) for root in roots], Rulebook(**options)))
    skipped = [item for item in items if isinstance(item, Skipped)]
    told = {os.path.relpath(item.path, roots[0]): item.reason for item in skipped}
    assert len(told) == len(skipped)
    return told


def test_finds_files_in_one_order_with_size_and_time(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "a.md", "sub/c.md", "Sub/d.md", "é.md")
    items = list(Scan([str(tmp_path)], Rulebook()))
    assert [Path(item.path).name for item in items] == ["a.md", "b.md", "é.md", "d.md", "c.md"]
    status = (tmp_path / "a.md").stat()
    assert items[0] == Found(
        str(tmp_path / "a.md"), str(tmp_path), status.st_size, status.st_mtime_ns
    )


def test_hidden_files_and_folders(tmp_path: Path) -> None:
    write(tmp_path, ".notes.md", ".folder/a.md", "plain.md")
    assert found(tmp_path) == ["plain.md"]
    assert reasons(tmp_path) == {".notes.md": "hidden", ".folder": "hidden"}
    assert sorted(found(tmp_path, hidden=True)) == [".notes.md", "a.md", "plain.md"]


@pytest.mark.parametrize("folder", ["node_modules", "__pycache__", "venv", "x.egg-info"])
def test_a_folder_of_a_tool_is_one_skip(folder: str, tmp_path: Path) -> None:
    write(tmp_path, f"{folder}/a.md", f"{folder}/deep/b.md", "plain.md")
    assert reasons(tmp_path) == {folder: "a folder of a tool"}
    assert sorted(found(tmp_path, ignore=False)) == ["a.md", "b.md", "plain.md"]


def test_version_control_is_never_read(tmp_path: Path) -> None:
    write(tmp_path, ".git/config", "plain.md")
    assert found(tmp_path, hidden=True, ignore=False) == ["plain.md"]


def test_a_virtual_environment_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    write(tmp_path, "anyname/pyvenv.cfg", "anyname/lib/a.md", "build/kept.md")
    assert reasons(tmp_path) == {"anyname": "a virtual environment"}
    assert found(tmp_path) == ["kept.md"]


def test_ignore_files_at_any_level(tmp_path: Path) -> None:
    write(tmp_path, "a.log", "sub/b.log", "sub/keep.log", "drafts/c.md", "plain.md")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / ".ragignore").write_text("drafts/\n")
    (tmp_path / "sub" / ".gitignore").write_text("!keep.log\n")
    assert found(tmp_path) == ["plain.md", "keep.log"]
    assert reasons(tmp_path)["drafts"] == "ignored"
    assert "c.md" in found(tmp_path, ignore=False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("server.pem", True),
        ("a.KEY", True),
        ("id_rsa", True),
        ("id_ed25519.pub", True),
        ("id_work", True),
        ("id_rsa.txt", True),
        (".env", True),
        (".env.local", True),
        ("vault.kdbx", True),
        ("id_card_policy.pdf", False),
        ("keyboard.md", False),
        ("environment.md", False),
        ("pem.txt", False),
    ],
)
def test_key_files(name: str, expected: bool, tmp_path: Path) -> None:
    assert is_key(name) is expected
    write(tmp_path, name)
    assert (name in found(tmp_path)) is not (expected or name.startswith("."))
    assert found(tmp_path, hidden=True) == [name]


def test_a_named_file_is_taken_but_a_key_needs_to_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path, ".hidden.md", "ignored.md", "id_rsa", "node_modules/a.md")
    (tmp_path / ".gitignore").write_text("ignored.md\n")
    assert found(tmp_path / ".hidden.md", tmp_path / "ignored.md") == [".hidden.md", "ignored.md"]
    assert found(tmp_path / "node_modules") == ["a.md"]
    assert found(tmp_path / "id_rsa") == []
    assert found(tmp_path / "id_rsa", hidden=True) == ["id_rsa"]


def test_overlapping_roots_are_walked_once(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "sub/b.md", "node_modules/p/c.md", ".h/d.md")
    inner = [tmp_path / "sub", tmp_path / "node_modules/p", tmp_path / ".h", tmp_path / "a.md"]
    assert sorted(found(*inner, tmp_path)) == ["a.md", "b.md", "c.md", "d.md"]


def test_nothing_but_regular_files_is_opened(tmp_path: Path) -> None:
    write(tmp_path, "plain.md")
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "sock.txt"))
        assert found(tmp_path) == ["plain.md"]
        assert reasons(tmp_path) == {"pipe.txt": "a named pipe", "sock.txt": "a socket"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "root/plain.md", "outside/secret.md")
    root = tmp_path / "root"
    for name, target in {
        "out": "../outside",
        "self": "self",
        "up": "..",
        "gone": "nowhere",
    }.items():
        (root / name).symlink_to(target)
    assert found(root) == ["plain.md"]
    assert set(reasons(root).values()) == {"a symbolic link"}


def test_what_holds_no_text(tmp_path: Path) -> None:
    write(tmp_path, "photo.JPG", "backup.tar.gz", "tool.exe", "plain.md")
    (tmp_path / "empty.md").touch()
    (tmp_path / "large.txt").write_bytes(b"x" * 2_000_000)
    assert found(tmp_path, max_bytes=1_000_000) == ["plain.md"]
    assert reasons(tmp_path, max_bytes=1_000_000) == {
        "photo.JPG": "an image, no text",
        "backup.tar.gz": "an archive, no text",
        "tool.exe": "a program, no text",
        "empty.md": "empty",
        "large.txt": "larger than 1 MB",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_stays_known(tmp_path: Path) -> None:
    write(tmp_path, "file.md", "folder/a.md")
    (tmp_path / "file.md").chmod(0)
    (tmp_path / "folder").chmod(0)
    items = list(Scan([str(tmp_path)], Rulebook()))
    (tmp_path / "folder").chmod(0o700)
    assert [(item.reason, item.keep) for item in items] == [("no permission", True)] * 2


def test_names_that_are_not_utf8_are_said_in_utf8(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/bad-\xff.md", "wb") as file:
        file.write(b"text\n")
    os.mkdir(os.fsencode(tmp_path) + b"/folder-\xfe")
    told = reasons(tmp_path)
    assert told == {
        r"bad-\xff.md": "its name is not UTF-8",
        r"folder-\xfe": "its name is not UTF-8",
    }
    assert all(path.encode() for path in told)


def test_strange_names_are_ordinary(tmp_path: Path) -> None:
    names = [
        "new\nline.md",
        "tab\t.md",
        "-rf.md",
        "sp ace $(x).md",
        "日本語 🚀.md",
        "x" * 240 + ".md",
    ]
    write(tmp_path, *names)
    assert sorted(found(tmp_path)) == sorted(names)


def test_globs_narrow_a_run_and_keep_what_is_known(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b.txt", "sub/c.md", "drafts/d.md")
    assert found(tmp_path, include=("*.md",), exclude=("drafts/",)) == ["a.md", "c.md"]
    assert found(tmp_path, include=("/sub/**",)) == ["c.md"]
    items = Scan([str(tmp_path)], Rulebook(include=("*.md",), exclude=("drafts/",)))
    assert [item.keep for item in items if isinstance(item, Skipped)] == [True, True]


def test_a_deep_folder(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d"] * 300)
    folder.mkdir(parents=True)
    write(folder, "leaf.md")
    assert found(tmp_path) == ["leaf.md"]


def test_ragclis_own_data_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "data/ledger.txt", ".ragcli/x.md", "plain.md")
    told = reasons(tmp_path, own=(str(tmp_path / "data"),), hidden=True)
    assert told == {"data": "the data of ragcli", ".ragcli": "a folder of a tool"}


def test_an_empty_root_is_noted(tmp_path: Path) -> None:
    scan = Scan([str(tmp_path)], Rulebook())
    assert list(scan) == []
    assert scan.empty == {str(tmp_path)}

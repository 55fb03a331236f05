"""The rules of .gitignore files: the corners by name, and parity with git itself on random trees."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ragcli.ingest.glob import compile_glob
from ragcli.ingest.ignore import MAX_BYTES, Rules, ignored, load, load_above

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def left_out(patterns: str, path: str, *, folder: bool = False) -> bool:
    rules = Rules(b"/top")
    rules.add(patterns.encode())
    return ignored([rules], b"/top/" + path.encode(), folder)


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("*.log", "a/b.log", True),
        ("/b.log", "a/b.log", False),
        ("a/*.log", "a/b/c.log", False),
        ("a/**/c.log", "a/c.log", True),
        ("a/**/c.log", "a/x/y/c.log", True),
        ("**/c.log", "x/c.log", True),
        ("a/**", "a", False),
        ("a/**", "a/b", True),
        ("*.log\n!keep.log", "keep.log", False),
        ("!keep.log\n*.log", "keep.log", True),
        ("build/", "build", False),
        ("\\#note", "#note", True),
        ("# note", "# note", False),
        ("\\!bang", "!bang", True),
        ("blank \\ ", "blank  ", True),
        ("blank  ", "blank", True),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[]x]", "]", True),
        ("[[:digit:]]", "7", True),
        ("[open", "[open", False),
        ("end\\", "end", False),
        ("a?c", "a/c", False),
        ("\ufeffword", "word", True),
        ("word\r", "word", True),
        ("", "word", False),
        ("/", "word", False),
    ],
)
def test_corner(patterns: str, path: str, expected: bool) -> None:
    assert left_out(patterns, path) is expected


def test_a_pattern_for_folders_takes_folders_only() -> None:
    assert left_out("build/", "build", folder=True)
    assert not left_out("build/", "build")


def test_the_nearest_file_decides() -> None:
    outer, inner = Rules(b"/top"), Rules(b"/top/sub")
    outer.add(b"*.md")
    inner.add(b"!kept.md")
    assert not ignored([outer, inner], b"/top/sub/kept.md", False)
    assert ignored([outer, inner], b"/top/sub/other.md", False)


def test_ragignore_outranks_gitignore(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.md\n")
    (tmp_path / ".ragignore").write_text("!kept.md\n")
    rules = load(str(tmp_path), os.listdir(tmp_path), [])
    assert rules is not None
    assert not ignored([rules], os.fsencode(tmp_path / "kept.md"), False)
    assert ignored([rules], os.fsencode(tmp_path / "other.md"), False)


def test_rules_count_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    inside = tmp_path / "repository" / "docs" / "deep"
    inside.mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("outside.md\n")
    (tmp_path / "repository" / ".gitignore").write_text("top.md\n")
    (tmp_path / "repository" / ".git").mkdir()
    stack = load_above(str(inside), [])
    assert ignored(stack, os.fsencode(inside / "top.md"), False)
    assert not ignored(stack, os.fsencode(inside / "outside.md"), False)


def test_rules_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to("elsewhere")
    (tmp_path / ".ragignore").write_bytes(b"x\n" * MAX_BYTES)
    warnings: list[str] = []
    assert load(str(tmp_path), os.listdir(tmp_path), warnings) is None
    assert len(warnings) == 2


def test_no_pattern_takes_long() -> None:
    hostile = [b"a*" * 40 + b"b", b"**/a*/" * 12 + b"b", b"*[a-z]" * 30 + b"X", b"**/*" * 20 + b"b"]
    path = b"/".join([b"a" * 40] * 60)
    started = time.process_time()
    for pattern in hostile:
        for body in (pattern, b"/" + pattern):
            glob = compile_glob(body)
            assert glob is not None
            assert not glob.matches(path)
    assert time.process_time() - started < 20


ATOMS = [
    "a", "b", "ab", "x.md", ".h", "*", "**", "?", "/", "/", "/**/", "**/", "/**", "*.md", "[ab]",
    "[!a]", "[^b-]", "[a-b]", "[]a]", "[[:alpha:]]", "[[:x:]]", "[b", "]", "\\a", "\\*", "\\", "ü",
    "a*b", "-", " ", "\\ ", "#", "***", "a**", "**a", "**b/", "[/]", "[a\\]]", "[[:a]", "[--a]",
]  # fmt: skip
NAMES = ["a", "b", "ab", "ba", "x.md", ".h", "aab", "ü", "a b", "a ", "]", "*", "#a", "-", "[b"]


def grow(folder: Path, chance: random.Random, depth: int = 0) -> list[Path]:
    """Make a random tree; returns every path in it."""
    paths: list[Path] = []
    for name in chance.sample(NAMES, chance.randint(2, 7)):
        path = folder / name
        if depth < 3 and chance.random() < 0.5:
            path.mkdir()
            paths += [path, *grow(path, chance, depth + 1)]
        else:
            path.write_text("x")
            paths.append(path)
    return paths


def write_rules(folder: Path, chance: random.Random) -> None:
    def pattern() -> str:
        body = "".join(chance.choices(ATOMS, k=chance.randint(1, 5)))
        return chance.choice(["", "", "", "!"]) + body + chance.choice(["", "", "/", " ", "\r"])

    lines = [pattern() for _ in range(chance.randint(1, 6))]
    (folder / ".gitignore").write_text("\n".join(lines), newline="")


def git_ignored(top: Path, paths: list[Path]) -> set[str]:
    names = "\0".join(str(path.relative_to(top)) for path in paths)
    run = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=top,
        input=names.encode(),
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(top), "LC_ALL": "C"},
    )
    assert run.returncode in (0, 1), run.stderr
    return set(run.stdout.decode().split("\0")) - {""}


def our_ignored(top: Path) -> set[str]:
    found: set[str] = set()

    def walk(folder: Path, stack: list[Rules]) -> None:
        names = sorted(os.listdir(folder))
        rules = load(str(folder), names, [])
        inner = [*stack, rules] if rules else stack
        for name in names:
            path = folder / name
            if ignored(inner, os.fsencode(path), path.is_dir()):
                found.add(str(path.relative_to(top)))
                found.update(str(below.relative_to(top)) for below in path.rglob("*"))
            elif path.is_dir() and name != ".git":
                walk(path, inner)

    walk(top, [])
    return found


@needs_git
@pytest.mark.parametrize("seed", range(40))
def test_parity_with_git(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    paths = grow(tmp_path, chance)
    for folder in [tmp_path, *(path for path in paths if path.is_dir() and chance.random() < 0.3)]:
        write_rules(folder, chance)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    theirs = git_ignored(tmp_path, paths)
    ours = our_ignored(tmp_path) & {str(path.relative_to(tmp_path)) for path in paths}
    assert ours == theirs

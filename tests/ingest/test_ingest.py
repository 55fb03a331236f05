"""Whole runs over real folders with real parsing children: what each kind of change comes to."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from desk import Desk, reasons

from ragcli.errors import CollectionBusy, ConfigError, FingerprintMismatch, UsageError
from ragcli.settings import Settings


def test_first_run_then_nothing_to_do(desk: Desk) -> None:
    for name in ("a.md", "sub/b.txt", "sub/c.html"):
        desk.write(name)
    report = desk.ingest()
    assert (report.added, report.seen, report.failed, report.skipped) == (3, 3, [], [])
    assert report.chunks == report.embedded == 3
    assert desk.progress.phases == ["Scanning", "Reading", "Embedding"]
    desk.progress.phases.clear()
    report = desk.ingest()
    assert (report.unchanged, report.seen, report.chunks) == (3, 3, 3)
    assert desk.progress.phases == ["Scanning"]
    assert desk.search("words") == ["a.md", "sub/b.txt", "sub/c.html"]


def test_added_updated_deleted(desk: Desk) -> None:
    desk.write("a.md")
    desk.write("b.md")
    desk.ingest()
    desk.write("a.md", "Another text altogether.")
    (desk.folder / "b.md").unlink()
    desk.write("c.md")
    report = desk.ingest()
    assert (report.added, report.updated, report.deleted, report.seen) == (1, 1, 1, 2)
    assert desk.search("another") == ["a.md"]
    assert desk.names() == ["a.md", "c.md"]


def test_moved_and_copied_files_are_not_embedded_again(desk: Desk) -> None:
    desk.write("a.md", "The first text.")
    desk.write("b.md", "The second text.")
    desk.ingest()
    embedded = desk.embedder.texts
    (desk.folder / "a.md").rename(desk.folder / "moved.md")
    desk.write("copy.md", "The second text.")
    report = desk.ingest()
    assert (report.moved, report.added, report.unchanged, report.deleted) == (1, 1, 1, 0)
    assert desk.embedder.texts == embedded
    assert desk.search("first") == ["moved.md"]
    assert desk.search("second") == ["b.md", "copy.md"]


def test_many_identical_files_are_read_once(desk: Desk) -> None:
    for number in range(30):
        desk.write(f"copy{number:02}.txt", "The same paragraph.")
    report = desk.ingest()
    assert (report.added, report.chunks, desk.embedder.texts) == (30, 30, 1)


def test_touched_files_are_unchanged_and_then_trusted(desk: Desk) -> None:
    path = desk.write("a.md")
    desk.ingest()
    os.utime(path, ns=(5, 5))
    assert desk.ingest().unchanged == 1
    with desk.collection() as collection:
        row = collection.ledger.file(str(path))
        assert row is not None
        assert row.mtime_ns == 5


def test_a_change_within_the_tick_of_the_clock_is_noticed(desk: Desk) -> None:
    path = desk.folder / "a.md"
    path.write_text("The old text.")
    status = path.stat()
    desk.ingest()
    path.write_text("The new text.")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    report = desk.ingest()
    assert (report.updated, desk.search("new")) == (1, ["a.md"])


def test_files_that_fail_are_told_again_but_not_read_again(desk: Desk) -> None:
    desk.write("good.md")
    desk.write("broken.pdf", "%PDF-1.4 and nothing more")
    desk.write("binary.txt", "\x7fELF\0\1\2\3" * 50)
    first = desk.ingest()
    assert set(reasons(first.failed)) == {"broken.pdf"}
    assert set(reasons(first.skipped)) == {"binary.txt"}
    assert first.seen == 3
    desk.progress.phases.clear()
    second = desk.ingest()
    assert desk.progress.phases == ["Scanning"]
    assert (second.failed, second.skipped, second.unchanged) == (first.failed, first.skipped, 1)
    desk.write("broken.pdf", "a text by another name")
    assert desk.ingest().updated == 1


def test_a_file_that_turns_bad_leaves_the_collection(desk: Desk) -> None:
    desk.write("a.md", "Some telling words.")
    desk.ingest()
    desk.write("a.md", " \n \n")
    report = desk.ingest()
    assert set(reasons(report.failed)) == {"a.md"}
    assert desk.search("telling") == []


def test_what_is_skipped_later_leaves_and_what_is_excluded_stays(desk: Desk) -> None:
    desk.write("a.md")
    desk.write("b.md")
    desk.write("c.md")
    desk.ingest()
    desk.write(".ragignore", "a.md\n")
    settings = Settings(ingest={"exclude": ["b.md"]})
    report = desk.ingest(settings=settings)
    assert desk.names() == ["b.md", "c.md"]
    assert (report.deleted, report.unchanged, report.seen) == (1, 1, 4)


def test_no_prune_keeps_what_is_gone(desk: Desk) -> None:
    desk.write("a.md").unlink()
    desk.write("b.md")
    desk.ingest()
    (desk.folder / "b.md").rename(desk.folder / "c.md")
    report = desk.ingest(prune=False)
    assert (report.deleted, report.added, desk.names()) == (0, 1, ["b.md", "c.md"])


def test_other_folders_are_left_alone(desk: Desk) -> None:
    desk.write("one/a.md")
    desk.write("two/b.md")
    desk.ingest(desk.folder / "one", desk.folder / "two")
    (desk.folder / "two/b.md").unlink()
    assert desk.ingest(desk.folder / "one").deleted == 0
    desk.write("two/c.md")
    assert desk.again().deleted == 1


def test_a_missing_root_is_said_and_keeps_its_documents(desk: Desk) -> None:
    desk.write("one/a.md")
    desk.write("two/b.md")
    desk.ingest(desk.folder / "one", desk.folder / "two")
    (desk.folder / "two").rename(desk.top / "away")
    report = desk.again()
    assert set(reasons(report.failed)) == {"two"}
    assert (report.unchanged, report.deleted, report.seen) == (1, 0, 2)
    (desk.folder / "two").mkdir()
    assert set(reasons(desk.again().failed)) == {"two"}
    assert desk.names() == ["one/a.md", "two/b.md"]


def test_a_path_that_does_not_exist_stops_everything(desk: Desk) -> None:
    desk.write("a.md")
    with pytest.raises(UsageError, match="does not exist"):
        desk.ingest(desk.folder, desk.folder / "nothing")
    assert desk.names() == []
    with pytest.raises(UsageError, match="Nothing was ingested"):
        desk.again()


def test_a_dry_run_tells_the_same_and_writes_nothing(desk: Desk) -> None:
    desk.write("a.md")
    desk.write("b.md")
    desk.write("c.png")
    desk.ingest()
    before = desk.content()
    desk.write("a.md", "Changed.")
    (desk.folder / "b.md").rename(desk.folder / "d.md")
    desk.write("e.md")
    told = desk.ingest(dry_run=True)
    assert desk.content() == before
    done = desk.ingest()
    for figure in (
        "seen",
        "added",
        "updated",
        "unchanged",
        "moved",
        "deleted",
        "skipped",
        "failed",
    ):
        assert getattr(told, figure) == getattr(done, figure), figure


def test_force_reads_everything_again(desk: Desk) -> None:
    desk.write("a.md")
    desk.write("b.md")
    desk.ingest()
    before = desk.content()
    report = desk.ingest(force=True)
    assert (report.updated, report.unchanged) == (2, 0)
    assert desk.content() == before


def test_another_embedder_is_refused_and_force_builds_all_anew(desk: Desk) -> None:
    desk.write("one/a.md")
    desk.write("two/b.md")
    desk.ingest(desk.folder / "one", desk.folder / "two")
    other = replace(desk.info, model="other", fingerprint="0" * 64)
    with pytest.raises(FingerprintMismatch, match="other"):
        desk.ingest(desk.folder / "one", info=other)
    with pytest.raises(UsageError, match="whose file is gone"):
        desk.ingest(desk.folder / "one", info=other, force=True, prune=False)
    embedded = desk.embedder.texts
    report = desk.ingest(desk.folder / "one", info=other, force=True)
    assert (report.updated, report.chunks, report.embedded) == (2, 2, 2)
    assert desk.embedder.texts == embedded + 2
    with desk.collection() as collection:
        assert collection.built_with("model") == "other"


def test_a_collection_that_cannot_be_built_anew_is_left_as_it_is(desk: Desk) -> None:
    desk.write("a.md")
    desk.ingest(stdin=("notes", b"Words from a pipe."))
    other = replace(desk.info, fingerprint="0" * 64)
    before = desk.content()
    with pytest.raises(UsageError, match="stdin"):
        desk.ingest(info=other, force=True)
    assert desk.content() == before


def test_nothing_is_emptied_that_would_not_be_read_again(desk: Desk) -> None:
    desk.write("one/a.md")
    desk.write("one/b.txt")
    desk.write("two/c.txt")
    desk.ingest(desk.folder / "one", desk.folder / "two")
    other = replace(desk.info, fingerprint="0" * 64)
    before = desk.content()
    narrowed = Settings(ingest={"include": ["*.md"]})
    with pytest.raises(UsageError, match="would not read"):
        desk.ingest(desk.folder / "one", info=other, force=True, settings=narrowed)
    assert desk.content() == before
    elsewhere = desk.top / "unmounted"
    (desk.folder / "one").rename(elsewhere)
    (desk.folder / "one").mkdir()
    with pytest.raises(UsageError, match="would not read"):
        desk.ingest(desk.folder / "two", info=other, force=True)
    assert desk.content() == before
    (desk.folder / "one").rmdir()
    elsewhere.rename(desk.folder / "one")
    assert desk.ingest(desk.folder / "two", info=other, force=True).updated == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_that_cannot_be_read_is_not_emptied(desk: Desk) -> None:
    desk.write("one/a.md")
    desk.ingest()
    other = replace(desk.info, fingerprint="0" * 64)
    (desk.folder / "one").chmod(0)
    try:
        with pytest.raises(UsageError, match="would not read"):
            desk.ingest(info=other, force=True)
    finally:
        (desk.folder / "one").chmod(0o700)


def test_another_splitter_is_another_fingerprint(desk: Desk) -> None:
    desk.write("a.md")
    desk.ingest()
    shorter = Settings(splitter={"max_tokens": 32})
    with pytest.raises(FingerprintMismatch):
        desk.ingest(settings=shorter)
    assert desk.ingest(settings=shorter, force=True).updated == 1
    with pytest.raises(ConfigError, match="reads 128 tokens"):
        desk.ingest(settings=Settings(splitter={"max_tokens": 200}))


def test_a_document_from_stdin(desk: Desk) -> None:
    desk.write("a.md")
    with desk.collection() as collection:
        assert collection.ledger.roots() == []
    report = desk.ingest(desk.folder, stdin=("notes.md", b"# Pipe\n\nWords from a pipe.\n"))
    assert (report.added, report.seen) == (2, 2)
    report = desk.ingest(desk.folder, stdin=("notes.md", b"# Pipe\n\nWords from a pipe.\n"))
    assert report.unchanged == 2
    report = desk.ingest(desk.folder, stdin=("notes.md", b"Other words."))
    assert (report.updated, report.unchanged, report.deleted) == (1, 1, 0)
    assert dict(desk.ingest(desk.folder, stdin=("empty.md", b"")).skipped) == {"empty.md": "empty"}
    with pytest.raises(UsageError, match="no name"):
        desk.ingest(desk.folder, stdin=("/etc/passwd", b"x"))


def test_only_one_may_write(desk: Desk) -> None:
    desk.write("a.md")
    with desk.collection() as other, other.writing(), pytest.raises(CollectionBusy):
        desk.ingest()


def test_records_keep_their_ids(desk: Desk) -> None:
    lines = '{"_id": "one", "title": "First", "text": "alpha"}\n{"_id": "two", "text": "beta"}\n'
    desk.write("corpus.jsonl", lines)
    report = desk.ingest()
    assert (report.added, report.chunks) == (1, 2)
    assert {row[3] for row in desk.content()} == {"one", "two"}


def test_ragclis_own_data_inside_a_folder_is_not_read(desk: Desk) -> None:
    desk.write("a.md")
    report = desk.ingest(desk.top)
    assert report.added == 2
    assert reasons(report.skipped) == {"data": "the data of ragcli"}
    assert desk.ingest(desk.top).unchanged == 2


def test_a_link_named_by_a_person_is_followed_once(desk: Desk) -> None:
    desk.write("a.md")
    (desk.top / "link").symlink_to("docs")
    assert desk.ingest(desk.top / "link").added == 1
    assert desk.ingest().unchanged == 1


def test_a_failure_under_other_limits_is_tried_again(desk: Desk) -> None:
    desk.write("broken.pdf", "%PDF-1.4 and nothing more")
    desk.ingest()
    desk.progress.phases.clear()
    desk.ingest(settings=Settings(ingest={"timeout_s": 120}))
    assert "Reading" in desk.progress.phases


def test_names_of_any_kind(desk: Desk) -> None:
    names = [
        "new\nline.md",
        "-rf.md",
        "日本語 🚀.md",
        "%s{0}.md",
        "x" * 240 + ".md",
        "\u202egnp.md",
    ]
    for name in names:
        desk.write(name)
    with open(os.fsencode(desk.folder) + b"/bad-\xff.md", "wb") as file:
        file.write(b"text\n")
    report = desk.ingest()
    assert (report.added, reasons(report.skipped)) == (
        len(names),
        {r"bad-\xff.md": "its name is not UTF-8"},
    )
    assert sorted(desk.names()) == sorted(names)

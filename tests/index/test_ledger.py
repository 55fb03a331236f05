"""The ledger: what is published is seen whole, what is not is not seen, and nothing is lost."""

import os
import random
import sqlite3
import stat

import numpy as np
import pytest

from ragcli.errors import CollectionDamaged, StorageError
from ragcli.index.ledger import Ledger
from ragcli.index.rows import FileFacts, Selection
from ragcli.types import Chunk, Span, SplitDocument


def facts(path, digest="d", parser="text/1", mtime_ns=1):
    return FileFacts(path, "/r", 10, mtime_ns, digest, "text", parser)


def document(*texts, title=None, doc_id=None, heading=(), page=None):
    chunks = [
        Chunk(text, tuple(heading), (Span(0, page, None, (i + 1, i + 2)),), len(text.split()))
        for i, text in enumerate(texts)
    ]
    return SplitDocument(chunks, title=title, doc_id=doc_id)


def put(ledger, path, *documents, **options):
    staged = ledger.stage(facts(path, **options))
    for one in documents:
        ledger.add_document(staged, one)
    return ledger.publish(staged)


def embed(ledger, dimension=8):
    """Fill in every vector that waits, each determined by its text alone."""
    while pending := ledger.pending(100):
        rows = [
            np.random.default_rng(int(key[:15], 16)).normal(size=dimension) for key, _ in pending
        ]
        vectors = np.array([row / np.linalg.norm(row) for row in rows], np.float32)
        ledger.store_vectors([key for key, _ in pending], vectors)


def content(ledger):
    """All that can be seen, without keys, which tell only the order of writing."""
    seen = {}
    for row in ledger.files():
        for held in ledger.documents(row.id):
            for chunk in ledger.chunks_of(held.id):
                _, vectors = ledger.vectors([chunk.key])
                seen[chunk.path, chunk.doc_id, chunk.ordinal] = (
                    chunk.id,
                    chunk.text,
                    chunk.title,
                    chunk.spans,
                    vectors.tobytes(),
                )
    return seen


@pytest.fixture
def ledger(tmp_path):
    with_closing = Ledger(tmp_path / "ledger.db")
    yield with_closing
    with_closing.close()


def test_what_is_published_is_read_back_as_it_was(ledger):
    original = document("one two", "three", title="T", heading=("A", "B"), page=3)
    original.metadata = {"year": 2020, "who": "é", "none": None}
    original.warnings = ["cut"]
    original.page_unit = "page"
    assert put(ledger, "/r/a.txt", original) == 2
    (row,) = ledger.files()
    (held,) = ledger.documents(row.id)
    chunks = ledger.chunks_of(held.id)
    assert [chunk.text for chunk in chunks] == ["one two", "three"]
    assert [chunk.spans for chunk in chunks] == [chunk.spans for chunk in original.chunks]
    assert chunks[0].heading == ("A", "B")
    assert chunks[0].metadata == original.metadata
    assert held.warnings == ("cut",)
    assert (row.documents, row.chunks, row.state, row.root) == (1, 2, "ready", "/r")
    assert ledger.chunk_by_id(chunks[1].id) == chunks[1]
    assert ledger.neighbours(chunks[0]) == ([], [chunks[1]])
    assert ledger.chunks([chunks[0].key, 999]) == {chunks[0].key: chunks[0]}


def test_staged_is_unseen_and_discarded(ledger):
    put(ledger, "/r/a.txt", document("old"))
    staged = ledger.stage(facts("/r/a.txt"))
    for number in range(30):
        ledger.add_document(staged, document(*(f"new {number} {i}" for i in range(100))))
    assert [chunk.text for chunk in ledger.chunks(range(1, 4000)).values()] == ["old"]
    assert ledger.coverage().chunks == 1
    assert len(ledger.pending(10)) == 1
    ledger.discard_staged()
    assert ledger.query("SELECT count(*) FROM chunks") == [(1,)]
    assert ledger.query("SELECT count(*) FROM vectors") == [(1,)]


def test_a_new_version_replaces_the_old_one_and_keeps_vectors(ledger):
    put(ledger, "/r/a.txt", document("same", "old"))
    embed(ledger)
    before = ledger.position()
    put(ledger, "/r/a.txt", document("same", "new"))
    log = [(change.op, change.chunk) for change in ledger.changes(before, 100)]
    assert log == [("gone", 1), ("gone", 2), ("text", 3), ("text", 4), ("vector", 3)]
    assert [text for _, text in ledger.pending(10)] == ["new"]
    assert ledger.coverage().embedded == 1
    assert ledger.query("SELECT count(*) FROM chunks") == [(2,)]


def test_identical_text_is_embedded_once(ledger):
    put(ledger, "/r/a.txt", document("same"))
    put(ledger, "/r/b.txt", document("same", "other"))
    assert [text for _, text in ledger.pending(10)] == ["same", "other"]
    embed(ledger)
    assert ledger.coverage().embedded == 3
    keys, vectors = ledger.vectors([1, 2, 3])
    assert keys == [1, 2, 3]
    assert vectors.dtype == np.float16 and vectors.shape == (3, 8)
    assert (vectors[0] == vectors[1]).all()


def test_moved_and_copied_files_equal_a_clean_run(ledger, tmp_path):
    texts = [
        document(f"text {i}", "shared", doc_id=f"id{i}" if i % 2 else None) for i in range(1100)
    ]
    put(ledger, "/r/a.jsonl", *texts)
    embed(ledger)
    (row,) = ledger.files()
    position = ledger.position()
    ledger.move(row.id, facts("/r/b.jsonl"))
    assert {change.op for change in ledger.changes(position, 5000)} == {"moved"}
    assert ledger.copy(facts("/r/c.jsonl"), row.id) == 2200
    assert ledger.coverage().embedded == 4400
    assert ledger.pending(1) == []
    clean = Ledger(tmp_path / "clean.db")
    put(clean, "/r/b.jsonl", *texts)
    put(clean, "/r/c.jsonl", *texts)
    embed(clean)
    assert content(clean) == content(ledger)


def test_a_file_moved_onto_another_replaces_it(ledger):
    put(ledger, "/r/a", document("a"))
    put(ledger, "/r/b", document("b"))
    ledger.move(ledger.file("/r/a").id, facts("/r/b"))
    assert [row.path for row in ledger.files()] == ["/r/b"]
    assert [chunk.text for chunk in ledger.chunks([1, 2]).values()] == ["a"]
    assert ledger.changes(2, 10)[0].op == "gone"


def test_failed_files_are_remembered_without_content(ledger):
    put(ledger, "/r/a", document("a"))
    ledger.fail(facts("/r/a", digest="e"), "no text, needs OCR")
    row = ledger.file("/r/a")
    assert (row.state, row.error, row.chunks) == ("failed", "no text, needs OCR", 0)
    assert ledger.chunks([1]) == {}
    assert ledger.file_by_digest("e") is None
    put(ledger, "/r/a", document("b"))
    assert ledger.file("/r/a").state == "ready"


def test_removed_chunks_and_their_vectors_leave_nothing_behind(ledger):
    for name in "abc":
        put(ledger, f"/r/{name}", document(*(f"{name} {i}" for i in range(2500))))
    embed(ledger)
    ledger.remove([row.id for row in ledger.files()])
    for table in ("files", "documents", "chunks", "vectors"):
        assert ledger.query(f"SELECT count(*) FROM {table}") == [(0,)]
    put(ledger, "/r/a", document("a"))
    assert min(ledger.selected_keys(Selection())) > 7500, "keys must never be used again"


def test_files_below_a_folder(ledger):
    for path in ("/r/a", "/r/a.txt", "/r/a/b", "/r/a/c/d", "/r/ab", "/r/a0"):
        put(ledger, path, document("x"))
    assert [row.path for row in ledger.files("/r/a")] == ["/r/a", "/r/a/b", "/r/a/c/d"]
    assert len(list(ledger.files("/"))) == 6


def test_files_may_be_changed_while_they_are_listed(ledger):
    with ledger.together():
        for number in range(2500):
            ledger.fail(facts(f"/r/{number:05}"), "x")
    seen = []
    for row in ledger.files():
        seen.append(row.path)
        if len(seen) % 500 == 0:
            ledger.remove([row.id])
    assert len(seen) == len(set(seen)) == 2500


def test_selection_by_document_and_page(ledger):
    spans = (Span(0, 2), Span(3, 4))
    across = SplitDocument([Chunk("abcdef", (), spans, 1)])
    put(ledger, "/r/a", across, document("no page"), document("page 9", page=9))
    assert list(ledger.selected_keys(Selection(pages=(3, 3)))) == [1]
    assert list(ledger.selected_keys(Selection(pages=(4, 9)))) == [1, 3]
    assert list(ledger.selected_keys(Selection(documents=frozenset({2, 3})))) == [2, 3]
    assert list(ledger.selected_keys(Selection(frozenset({2, 3}), (1, 9)))) == [3]
    assert len(ledger.selected_keys(Selection(documents=frozenset()))) == 0


def test_hostile_names_and_texts_survive(ledger):
    path = os.fsdecode(b"/r/\xff\xfe'\";--\n")
    put(ledger, path, document("half \ud800 surrogate \x00 nul", title="\udfff", doc_id="\ud800"))
    (row,) = ledger.files()
    assert row.path == path
    assert ledger.file(path) == row
    (chunk,) = ledger.chunks([1]).values()
    assert chunk.text == "half � surrogate \x00 nul"
    assert ledger.chunk_by_id(chunk.id) == chunk
    assert ledger.chunk_by_id("not a uuid") is None


def test_a_group_commits_in_the_end_and_undoes_only_what_failed(ledger, tmp_path):
    class Stop(BaseException):
        pass

    with pytest.raises(Stop), ledger.together():
        put(ledger, "/r/a", document("a"))
        staged = ledger.stage(facts("/r/b"))
        with pytest.raises(AttributeError):
            ledger.add_document(staged, None)
        with pytest.raises(RuntimeError):
            ledger.position()
        raise Stop
    other = Ledger(tmp_path / "ledger.db", readonly=True)
    assert [row.path for row in other.files()] == ["/r/a"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_file_is_private_under_any_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        ledger = Ledger(tmp_path / "ledger.db")
        with ledger._db.transaction():
            ledger.set_meta("a", "b")
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"ledger.db": 0o600, "ledger.db-journal": 0o600}


def test_a_changed_text_or_vector_is_noticed(ledger, tmp_path):
    put(ledger, "/r/a", document("the truth", "other"))
    embed(ledger)
    assert ledger.check() == []
    raw = sqlite3.connect(tmp_path / "ledger.db")
    raw.execute("UPDATE chunks SET text = 'a lie' WHERE key = 1")
    raw.execute("UPDATE vectors SET data = zeroblob(16) WHERE id = 2")
    raw.commit()
    with pytest.raises(CollectionDamaged, match="chunk 1"):
        ledger.chunks([1])
    with pytest.raises(CollectionDamaged, match="chunk 2"):
        ledger.vectors([2])
    assert len(ledger.check()) == 2


def test_damage_is_told_with_the_fix(tmp_path):
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    put(ledger, "/r/a", *(document(f"text {i} " * 50) for i in range(300)))
    ledger.close()
    raw = path.read_bytes()
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(CollectionDamaged) as caught:
        Ledger(path)
    assert "ledger.db" in caught.value.fix
    generator = random.Random(7)
    noticed = 0
    for _ in range(40):
        at = generator.randrange(200, len(raw))
        flip = generator.choice([0x01, 0x55, 0x80])
        path.write_bytes(raw[:at] + bytes([raw[at] ^ flip]) + raw[at + 1 :])
        try:
            ledger = Ledger(path)
            noticed += bool(ledger.check())
            ledger.close()
        except CollectionDamaged:
            noticed += 1
    assert noticed >= 20, "most of the file is text, which the checks must cover"
    for size in (1, 100, 1024, 4096, 5000, len(raw) // 2, len(raw) - 4096):
        path.write_bytes(raw[:size])
        with pytest.raises(CollectionDamaged):
            ledger = Ledger(path)
            assert ledger.check()
            content(ledger)
            pytest.fail(f"a ledger of {size} bytes was read")


def test_a_newer_ledger_is_refused(tmp_path):
    Ledger(tmp_path / "ledger.db").set_meta("schema", "99")
    with pytest.raises(StorageError, match="newer"):
        Ledger(tmp_path / "ledger.db")


def test_what_was_created_but_never_filled_opens(tmp_path):
    (tmp_path / "ledger.db").touch()
    with pytest.raises(CollectionDamaged):
        Ledger(tmp_path / "ledger.db", readonly=True)
    assert list(Ledger(tmp_path / "ledger.db").files()) == []


def test_a_reader_cannot_write(tmp_path):
    put(Ledger(tmp_path / "ledger.db"), "/r/a", document("a"))
    reader = Ledger(tmp_path / "ledger.db", readonly=True)
    with pytest.raises(StorageError, match="read-only"):
        reader.set_meta("a", "b")
    assert reader.coverage().chunks == 1

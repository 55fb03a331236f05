"""The filter language, and what it leaves of a real ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.errors import UsageError
from ragcli.index.ledger import Ledger
from ragcli.index.rows import FileFacts
from ragcli.retrieve.filters import Condition, parse
from ragcli.retrieve.selection import path_pattern
from ragcli.types import Chunk, Span, SplitDocument

CWD = Path("/home/me/notes")


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    add(ledger, "/home/me/notes/docs/guide.pdf", "pdf", "2023-05-01", pages=5, title="The Guide")
    add(ledger, "/home/me/notes/docs/deep/setup.md", "markdown", "2024-02-29", title="Größe")
    add(ledger, "/home/me/notes/readme.md", "markdown", "2025-01-01")
    add(ledger, "/home/me/other/docs/letter.eml", "eml", "2025-06-01", date="2019-07-04T10:00:00")
    add(ledger, "/srv/data/records.jsonl", "jsonl", "2025-06-01", title="100% [sic]", doc_id="a-1",
        extra={"author": "Smith", "year": 2020, "open": True, "date": "2021"})  # fmt: skip
    yield ledger
    ledger.close()


def add(ledger, path, format, day, *, title=None, doc_id=None, date=None, pages=0, extra=None):
    when = int(datetime.fromisoformat(f"{day}T12:00:00").timestamp() * 1e9)
    staged = ledger.stage(FileFacts(path, None, 1, when, path, format, f"{format}/1"))
    spans = [(Span(0, page=page),) for page in range(1, pages + 1)] or [(Span(0),)]
    metadata = dict(extra or {}, **({"date": date} if date else {}))
    chunks = [Chunk(f"{path} {at}", (), span, 3) for at, span in enumerate(spans)]
    ledger.add_document(staged, SplitDocument(chunks, title, doc_id, metadata))
    ledger.publish(staged)


def left(ledger: Ledger, expression: str | list[str]) -> set[str]:
    selection = parse(expression).select(ledger, CWD)
    chunks = ledger.chunks(ledger.selected_keys(selection).tolist())
    return {Path(chunk.path).name for chunk in chunks.values()}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("path:docs/**", "guide.pdf setup.md"),
        ("path:docs/", "guide.pdf setup.md"),
        ("path:docs", "guide.pdf setup.md letter.eml"),
        ("path:docs/*.md", ""),
        ("path:docs/*/*.md", "setup.md"),
        ("path:docs/**/*.md", "setup.md"),
        ("path:**/*.md", "setup.md readme.md"),
        ("path:*.md", "setup.md readme.md"),
        ("path:./readme.md", "readme.md"),
        ("path:../other/**", "letter.eml"),
        ("path:/srv/data", "records.jsonl"),
        ("path:/", "guide.pdf setup.md readme.md letter.eml records.jsonl"),
        ("path:[gs]*", "guide.pdf setup.md records.jsonl"),
        ("type:pdf", "guide.pdf"),
        ("type:.MD", "setup.md readme.md"),
        ("type:pdf,markdown", "guide.pdf setup.md readme.md"),
        ("type:pdf type:eml", "guide.pdf letter.eml"),
        ("-type:markdown", "guide.pdf letter.eml records.jsonl"),
        ("!type:markdown -type:pdf", "letter.eml records.jsonl"),
        ("path:docs/** type:md", "setup.md"),
        ("path:docs/** -path:deep", "guide.pdf"),
        ("after:2024-02-29", "setup.md readme.md"),
        ("after:2024-03", "readme.md"),
        ("before:2024", "guide.pdf letter.eml records.jsonl"),
        ("after:2021 before:2022", "records.jsonl"),
        ("title:guide", "guide.pdf"),
        ("title:GRÖSSE", "setup.md"),
        ('title:"the g"', "guide.pdf"),
        ("title:the*", "guide.pdf"),
        ("title:100%", "records.jsonl"),
        ('title:"*[sic]"', "records.jsonl"),
        ("-title:guide", "setup.md readme.md letter.eml records.jsonl"),
        ("doc_id:a-1", "records.jsonl"),
        ("doc_id:a*", "records.jsonl"),
        ("doc_id:a", ""),
        ("meta:author=smith", "records.jsonl"),
        ("meta:author=S?ith", "records.jsonl"),
        ("meta:year=2020", "records.jsonl"),
        ("meta:open=true", "records.jsonl"),
        ("meta:open=false", ""),
        ("meta:author=Smith meta:year=1999", ""),
        ("-meta:author=Smith", "guide.pdf setup.md readme.md letter.eml"),
        ("page:2", "guide.pdf"),
        ("page:4- type:pdf", "guide.pdf"),
        ("page:6-", ""),
    ],
)
def test_what_a_filter_leaves(ledger, expression, expected):
    assert left(ledger, expression) == set(expected.split())


def test_pages_leave_chunks_not_whole_documents(ledger):
    selection = parse("page:2-3").select(ledger, CWD)
    chunks = ledger.chunks(ledger.selected_keys(selection).tolist())
    assert sorted(chunk.place().page for chunk in chunks.values()) == [2, 3]


def test_several_filters_must_all_hold(ledger):
    assert left(ledger, ["type:md", "path:docs/**"]) == {"setup.md"}


def test_no_filter_leaves_everything():
    assert not parse([])
    assert not parse("  ")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("pdf", "'pdf' is not a condition"),
        ("typ:pdf", "Did you mean type:pdf?"),
        ("author:Smith", "meta:author=Smith"),
        ("type:pfd", "Did you mean type:pdf?"),
        ("type:", "not a condition"),
        ('type:""', "has no value"),
        ("page:0-x", "Write page:3"),
        ("page:7-3", "Write page:3-7"),
        ("-page:3", "Write page:3"),
        ("page:1 page:3", "one page or range"),
        ("after:2024-13-01", "is not a date"),
        ("before:yesterday", "is not a date"),
        ("meta:author", "names no field"),
        ('meta:a"b=c', "not closed"),
        ('title:"open', "not closed"),
    ],
)
def test_errors_say_what_to_type(expression, words):
    with pytest.raises(UsageError) as raised:
        parse(expression)
    assert words in raised.value.message + " " + raised.value.fix
    assert raised.value.fix


def test_a_reversed_class_is_a_usage_error(ledger):
    with pytest.raises(UsageError):
        parse("path:[z-a]").select(ledger, CWD)


@pytest.mark.parametrize("value", ["x'; DROP TABLE files; --", "%", "_", "\\", "[", "\udcff"])
@pytest.mark.parametrize("key", ["path", "title", "doc_id", "meta:author"])
def test_values_are_never_sql(ledger, key, value):
    written = f'{key}="{value}"' if key.startswith("meta") else f'{key}:"{value}"'
    assert "letter.eml" not in left(ledger, written)
    assert len(left(ledger, "path:/")) == 5


def test_quotes_hold_spaces_and_either_quote():
    assert parse("""title:"it's here" """).conditions == (Condition("title", "it's here"),)
    assert parse("path:'my docs'/a.md").conditions == (Condition("path", "my docs/a.md"),)


@given(st.text(max_size=30))
def test_any_text_parses_or_is_a_usage_error(text):
    try:
        parse(text)
    except UsageError as error:
        assert error.fix


@given(st.text(alphabet="ab*?[]/!-^\\", max_size=12))
def test_any_pattern_compiles_or_is_a_usage_error(pattern):
    try:
        path_pattern(pattern, CWD).fullmatch("/home/me/notes/aabb/ab")
    except UsageError as error:
        assert error.fix

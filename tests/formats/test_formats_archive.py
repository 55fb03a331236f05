"""Containers and XML made to do harm: refused, cut short or bounded, never followed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from made_files import W, X, docx, para, word, zipped

from ragcli.errors import ParseError
from ragcli.formats import xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.limits import Limits

DTD = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
ZIP_FORMATS = ["docx", "pptx", "sheets", "odt", "epub"]


class Collected:
    """A handler that writes down what it is told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.words: list[str] = []

    def start(self, name: str, attributes: xml.Attributes) -> None:
        self.names.append(name)

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None:
        self.words.append(data)


def collected(document: str) -> Collected:
    handler = Collected()
    xml.parse([document.encode()], handler)
    return handler


def test_names_come_with_known_prefixes_whatever_the_document_calls_them() -> None:
    found = collected(f'<q:p xmlns:q="{W}" xmlns:z="urn:z"><z:other/><plain/></q:p>')
    assert found.names == ["w:p", "other", "plain"]


@pytest.mark.parametrize("use", ["&a;", "&b;", ""])
def test_a_document_with_a_dtd_of_its_own_is_refused(use: str) -> None:
    with pytest.raises(ParseError, match="DTD"):
        collected(f"{DTD}<x>{use}</x>")


def test_an_external_dtd_is_named_but_never_loaded() -> None:
    found = collected('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>a&nope;b</x>')
    assert "".join(found.words) == "ab"


def test_a_document_that_breaks_off_is_damaged_after_what_was_read() -> None:
    handler = Collected()
    with pytest.raises(Damaged):
        xml.parse([b"<x>read", b" this</x", b""], handler)
    assert "".join(handler.words) == "read this"


def test_absurd_nesting_is_refused() -> None:
    with pytest.raises(ParseError, match="nested"):
        collected("<a>" * 100_000)


def test_members_are_found_without_regard_to_case_or_slash() -> None:
    archive = Archive(zipped({"Word/Document.xml": "x", "a\\b.txt": "y"}), Limits())
    assert archive.read("/word/document.xml") == b"x"
    assert archive.read("a/b.txt") == b"y"
    with pytest.raises(ParseError, match="has no part"):
        archive.read("missing")


def test_caps_hold_for_one_member_and_for_all_together() -> None:
    bomb = Archive(zipped({"bomb": b"\0" * 20_000_000}), Limits(ratio=50))
    with pytest.raises(ParseError, match="more than 50 times"):
        bomb.read("bomb")
    many = Archive(zipped({"a": b"a" * 600, "b": b"b" * 600}), Limits(unpacked_bytes=1000))
    assert len(many.read("a")) == 600
    with pytest.raises(ParseError, match="unpacks to more than"):
        many.read("b")


def test_a_damaged_member_is_said_and_unusual_methods_are_refused() -> None:
    data = bytearray(zipped({"a": b"text" * 1000}, zipfile.ZIP_STORED))
    data[100] ^= 0xFF
    with pytest.raises(Damaged, match="damaged"):
        Archive(bytes(data), Limits()).read("a")
    with pytest.raises(ParseError, match="method"):
        Archive(zipped({"a": b"x" * 100}, zipfile.ZIP_LZMA), Limits()).read("a")


def test_traversal_names_are_only_names(tmp_path: Path) -> None:
    data = zipped({"../../evil.txt": "out", "word/document.xml": word("document", para("in"))})
    docx_reader = importlib.import_module("ragcli.formats.docx")
    (document,) = docx_reader.read(data, "a.docx", Limits())
    assert [block.text for block in document.blocks] == ["in"]
    assert not any(tmp_path.parent.glob("**/evil.txt"))


@pytest.mark.parametrize("name", [*ZIP_FORMATS, "pdf", "rtf", "eml"])
@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"\0" * 1000, zipped({}), zipped({"a": "b"}), os.urandom(5000)],
    ids=["empty", "magic", "zeros", "no members", "other members", "random"],
)
def test_what_is_something_else_is_a_parse_error(name: str, data: bytes) -> None:
    reader = importlib.import_module(f"ragcli.formats.{name}")
    with pytest.raises(ParseError):
        list(reader.read(data, "a", Limits()))


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_container_is_a_parse_error(cut: float) -> None:
    data = docx(para("whole"))
    reader = importlib.import_module("ragcli.formats.docx")
    with pytest.raises(ParseError):
        list(reader.read(data[: int(len(data) * cut)], "a", Limits()))


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from importlib import import_module
from ragcli.errors import ParseError
from ragcli.formats.limits import Limits
reader = import_module("ragcli.formats." + sys.argv[1])
try:
    for document in reader.read(sys.stdin.buffer.read(), "a", Limits()):
        print("read", sum(len(block.text) for block in document.blocks), document.warnings)
except ParseError as error:
    print("refused", error.message)
"""


def outcome(name: str, data: bytes) -> str:
    child = subprocess.run(
        [sys.executable, "-c", READ, name],
        input=data,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr.decode()[-500:]
    return child.stdout.decode()


LAUGHS = f"{DTD}<x>&a;</x>"
FAR_OFF = (
    f'<worksheet xmlns="{X}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
    '<row r="1048576"><c r="ZZ1048576"><v>1</v></c></row></sheetData></worksheet>'
)
MULTIPART = b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n"
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a large member": ("docx", lambda: zipped({"word/document.xml": b" " * 100_000_000})),
    "much text": (
        "docx",
        lambda: zipped({"word/document.xml": word("document", para("A" * 1000) * 30_000)}),
    ),
    "entities": ("docx", lambda: zipped({"word/document.xml": LAUGHS})),
    "a large unread member": ("docx", lambda: docx(para("x"), {"unread": "0" * 50_000_000})),
    "entities in ODT": ("odt", lambda: zipped({"content.xml": LAUGHS})),
    "groups": ("rtf", lambda: b"{\\rtf1" + b"{" * 2_000_000),
    "a long binary": ("rtf", lambda: b"{\\rtf1 text\\bin999999999 gone"),
    "messages in messages": (
        "eml",
        lambda: b"From: a\n" + b"Content-Type: message/rfc822\n\n" * 20_000,
    ),
    "many parts": ("eml", lambda: MULTIPART + b"--b\n\nx\n" * 20_000),
    "a far-off cell": (
        "sheets",
        lambda: zipped({"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": FAR_OFF}),
    ),
}


@pytest.mark.parametrize("bomb", sorted(BOMBS))
def test_bombs_end_within_bounds(bomb: str) -> None:
    name, made = BOMBS[bomb]
    result = outcome(name, made())
    assert result.startswith(("read", "refused")), result

"""Formats are told by content before name."""

from __future__ import annotations

import gzip
import importlib.util
import io
import zipfile

import pytest

from ragcli.formats import FORMATS, SUFFIXES, detect


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")
    return buffer.getvalue()


def test_every_suffix_names_a_format_and_every_format_a_module() -> None:
    assert set(SUFFIXES.values()) == set(FORMATS)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    assert all(importlib.util.find_spec(plug.module) for plug in FORMATS.values())


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("notes.md", b"# Hello\n", "markdown"),
        ("NOTES.MD", b"# Hello\n", "markdown"),
        ("README", b"plain words\n", "text"),
        ("a.unknown", b"plain words\n", "text"),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "pdf"),
        ("a.pdf", b"\r\nHTTP/1.1 200 OK\r\n\r\n%PDF-1.4\n", "pdf"),
        ("spec.md", b"A PDF begins with %PDF-1.7 and a comment.\n", "markdown"),
        ("a.pdf", b"<html><body>no pdf</body></html>", "html"),
        ("a.docx", b"plain text", "text"),
        ("a.docx", zipped("[Content_Types].xml", "word/document.xml"), "docx"),
        ("a.docx", zipped("[Content_Types].xml", "xl/workbook.xml"), "sheets"),
        ("upload", zipped("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
        ("a.zip", zipped("notes.txt"), None),
        ("a.txt.gz", gzip.compress(b"text", mtime=0), None),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), None),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "sheets"),
        ("a.doc", b"{\\rtf1 old}", "rtf"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), None),
        ("program", b"\x7fELF" + bytes(100), None),
        ("a.txt", bytes((i * i * 31 + i) % 256 for i in range(8192)), None),
        ("a.txt", b"abc\x00def\x00 words and words\n" * 20, "text"),
        ("a.txt", "Größe naïve".encode("cp1252") * 9, "text"),
        ("a.txt", "naïve – text".encode("utf-16-be") * 20, "text"),
        ("a.txt", "日本語の文書".encode("shift_jis") * 20, "text"),
        ("a.txt", ("é" * 5000).encode()[:8191], "text"),
        ("mail", b"From: a@x.org\nTo: b@x.org\nSubject: hi\nDate: today\n\nbody\n", "eml"),
        ("notes", b"Subject: only this\n\nbody\n", "text"),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json", b'{\n "a": 1\n}\n', "json"),
        ("a.ipynb", b'{"cells": []}', "notebook"),
        ("feed", b"<?xml version='1.0'?><rss/>", "xml"),
        ("page", b"\n <!DOCTYPE html><p>x", "html"),
        ("picture.svg", b"<svg><text>x</text></svg>", "xml"),
        ("empty.csv", b"", "csv"),
    ],
)
def test_detect(name: str, head: bytes, expected: str | None) -> None:
    assert detect(name, head) == expected

"""XML as a stream of events: no tree, no recursion, no entities. Knows no vocabulary, only its names.

A document that declares a DTD of its own is refused; one that merely names an external DTD is read
without it. Nothing outside the bytes given is ever loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol
from xml.parsers import expat

from ragcli.errors import ParseError
from ragcli.formats.archive import Damaged

_DEEPEST = 5000
_OOXML = "http://schemas.openxmlformats.org/"
_STRICT = "http://purl.oclc.org/ooxml/"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_PREFIXES = {
    "http://www.w3.org/XML/1998/namespace": "xml",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://www.idpf.org/2007/opf": "opf",
    "http://www.daisy.org/z3986/2005/ncx/": "ncx",
    "http://www.w3.org/1999/xhtml": "html",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.microsoft.com/office/powerpoint/2018/8/main": "p188",
    "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments": "tc",
    _OOXML + "wordprocessingml/2006/main": "w",
    _STRICT + "wordprocessingml/main": "w",
    _OOXML + "drawingml/2006/main": "a",
    _STRICT + "drawingml/main": "a",
    _OOXML + "presentationml/2006/main": "p",
    _STRICT + "presentationml/main": "p",
    _OOXML + "spreadsheetml/2006/main": "x",
    _STRICT + "spreadsheetml/main": "x",
    _OOXML + "officeDocument/2006/relationships": "r",
    _STRICT + "officeDocument/relationships": "r",
    _OOXML + "officeDocument/2006/math": "m",
    _STRICT + "officeDocument/math": "m",
    _OOXML + "package/2006/relationships": "rel",
    _OOXML + "package/2006/metadata/core-properties": "cp",
    _ODF + "xsl-fo-compatible:1.0": "fo",
    _ODF + "svg-compatible:1.0": "svg",
    _ODF + "drawing:1.0": "draw",
    "urn:oasis:names:tc:opendocument:xmlns:container": "container",
    **{_ODF + name + ":1.0": name for name in ("office", "style", "table", "text", "meta")},
}

Attributes = Mapping[str, str]


class Handler(Protocol):
    """What is told of a document as it is read; names are `prefix:local` with the prefixes above."""

    def start(self, name: str, attributes: Attributes) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, data: str) -> None: ...


class _Names(dict[str, str]):
    """`namespace}local` -> `prefix:local`, or `local` where the namespace is not one of ours."""

    def __missing__(self, name: str) -> str:
        uri, _, local = name.rpartition("}")
        prefix = _PREFIXES.get(uri)
        short = f"{prefix}:{local}" if prefix else local
        if len(self) < 10_000:
            self[name] = short
        return short


def parse(chunks: Iterable[bytes], handler: Handler) -> None:
    """Feed a whole document to a handler. Raises as `steps` does."""
    for _ in steps(chunks, handler):
        pass


def steps(chunks: Iterable[bytes], handler: Handler) -> Iterator[None]:
    """Feed a document to a handler, pausing after each piece so that the caller can take its output.

    Raises ParseError for a DTD or absurd nesting, Damaged where the document ends or breaks early.
    """
    names = _Names()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ParseError("Its XML is nested too deeply.")
        handler.start(names[name], {names[key]: value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(names[name])

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _refuse
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise Damaged(f"Its XML is damaged at line {error.lineno}.") from error


def _doctype(name: str, system: str | None, public: str | None, has_subset: bool) -> None:
    if has_subset:
        _refuse()


def _refuse(*_: object) -> None:
    raise ParseError("Its XML declares a DTD, which is refused.")

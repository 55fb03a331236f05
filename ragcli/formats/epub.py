"""EPUB: the chapters of a book in reading order, each under its title in the table of contents.

Pictures, styles and the navigation page are left out; a book with digital rights management is
refused as encrypted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from ragcli.errors import ParseError
from ragcli.formats import html, xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.encoding import decode
from ragcli.formats.limits import Limits, fit
from ragcli.formats.opc import Properties
from ragcli.formats.xml import Attributes
from ragcli.types import Block, Parsed

VERSION = 1
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document", ""})


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read an e-book. Raises ParseError where it is encrypted, unreadable or without text."""
    archive = Archive(data, limits)
    package = _package(archive)
    labels = _labels(archive, package)
    warnings: list[str] = []
    blocks, cut = fit(_chapters(archive, package, labels, limits, warnings), limits)
    if not blocks:
        raise ParseError(warnings[0] if warnings else "It holds no text.")
    properties = package.properties
    title = properties.title()
    yield Parsed(blocks, title, None, properties.metadata(), warnings=warnings + cut)


@dataclass(frozen=True, slots=True)
class _Item:
    path: str
    type: str
    properties: str


@dataclass(slots=True)
class _Package:
    """A handler for the package document: metadata, manifest and spine."""

    folder: str
    properties: Properties = field(default_factory=Properties)
    items: dict[str, _Item] = field(default_factory=dict)
    spine: list[str] = field(default_factory=list)
    contents: str | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        self.properties.start(name, attributes)
        if name.endswith("itemref"):
            self.spine.append(attributes.get("idref", ""))
        elif name in ("opf:spine", "spine"):
            self.contents = attributes.get("toc")
        elif name in ("opf:item", "item"):
            path = _resolve(self.folder, attributes.get("href", ""))
            kind = attributes.get("media-type", "").lower()
            item = _Item(path, kind, attributes.get("properties", ""))
            self.items[attributes.get("id", "")] = item

    def end(self, name: str) -> None:
        self.properties.end(name)

    def text(self, data: str) -> None:
        self.properties.text(data)


def _resolve(folder: str, href: str) -> str:
    """The member that a link points at; names in a link are percent-encoded."""
    with suppress(ValueError):
        path = unquote(urlsplit(href).path)
        return posixpath.normpath(posixpath.join(folder, path)).lstrip("/")
    return ""


@dataclass(slots=True)
class _Paths:
    """A handler that collects one attribute of one element, wherever it stands."""

    element: str
    attribute: str
    found: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: Attributes) -> None:
        if name.rpartition(":")[2] == self.element and attributes.get(self.attribute):
            self.found.append(attributes[self.attribute])

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def _package(archive: Archive) -> _Package:
    roots = _Paths("rootfile", "full-path")
    if _CONTAINER in archive:
        xml.parse(archive.stream(_CONTAINER), roots)
    paths = [*roots.found, *(name for name in archive.names() if name.endswith(".opf"))]
    path = next((path for path in paths if path in archive), None)
    if path is None:
        raise ParseError("It is a zip container without a book.")
    package = _Package(posixpath.dirname(path))
    xml.parse(archive.stream(path), package)
    _refuse_encrypted(archive, package)
    return package


def _refuse_encrypted(archive: Archive, package: _Package) -> None:
    """Fonts may be obfuscated; where chapters are, the book has digital rights management."""
    if _ENCRYPTION not in archive:
        return
    hidden = _Paths("CipherReference", "URI")
    xml.parse(archive.stream(_ENCRYPTION), hidden)
    members = {_resolve("", uri) for uri in hidden.found}
    if any(package.items[id_].path in members for id_ in package.spine if id_ in package.items):
        raise ParseError("It is encrypted.")


def _chapters(
    archive: Archive,
    package: _Package,
    labels: dict[str, str],
    limits: Limits,
    warnings: list[str],
) -> Iterator[Block]:
    for id_ in package.spine:
        item = package.items.get(id_)
        if item is None or item.type not in _PAGES or "nav" in item.properties.split():
            continue
        if item.path not in archive:
            warnings.append(f"Chapter {item.path[:100]} is missing.")
            continue
        try:
            text = decode(archive.read(item.path))
        except Damaged as error:
            warnings.append(error.message)
            continue
        yield from _chapter(text, labels.get(item.path, ""), limits)


def _chapter(text: str, label: str, limits: Limits) -> Iterator[Block]:
    """The blocks of a chapter file; its line numbers mean nothing to a reader of the book."""
    blocks = html.blocks(text, limits)
    wanted = _words(label)
    named = any(block.kind == "heading" and _words(block.text) == wanted for block in blocks[:20])
    base = (label,) if label and not named else ()
    for block in blocks:
        yield replace(block, heading=base + block.heading, lines=None)


def _words(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


class _Contents:
    """A handler for both kinds of table of contents: the first label of each chapter file."""

    def __init__(self, folder: str) -> None:
        self.labels: dict[str, str] = {}
        self._folder = folder
        self._reading = False
        self._in_nav = False
        self._parts: list[str] = []
        self._target = ""

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "html:nav":
            self._in_nav = "toc" in " ".join(attributes.values()).split()
        elif name == "html:a" and self._in_nav:
            self._target, self._parts, self._reading = attributes.get("href", ""), [], True
        elif name == "ncx:navLabel":
            self._parts, self._reading = [], True
        elif name == "ncx:content":
            self._label(attributes.get("src", ""))

    def end(self, name: str) -> None:
        if name == "html:a" and self._in_nav:
            self._label(self._target)
        elif name == "html:nav":
            self._in_nav = False
        elif name == "ncx:navLabel":
            self._reading = False

    def text(self, data: str) -> None:
        if self._reading:
            self._parts.append(data)

    def _label(self, href: str) -> None:
        self._reading = False
        text = " ".join("".join(self._parts).split())[:300]
        path = _resolve(self._folder, href)
        if text and path:
            self.labels.setdefault(path, text)


def _labels(archive: Archive, package: _Package) -> dict[str, str]:
    """Chapter titles by chapter file, from the navigation page, else from the NCX."""
    pages = [item for item in package.items.values() if "nav" in item.properties.split()]
    older = package.items.get(package.contents or "")
    for item in [*pages, *([older] if older else [])]:
        if item.path in archive:
            contents = _Contents(posixpath.dirname(item.path))
            with suppress(Damaged):
                xml.parse(archive.stream(item.path), contents)
            if contents.labels:
                return contents.labels
    return {}

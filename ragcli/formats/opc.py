"""Open Packaging Conventions (ECMA-376 part 2): how the parts of an Office file point at each other.

Finds the main part, follows relationships and reads the core properties; knows no part's content.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

from ragcli.errors import ParseError
from ragcli.formats import xml
from ragcli.formats.archive import Archive, Damaged
from ragcli.formats.titles import usable
from ragcli.types import Scalar


@dataclass(frozen=True, slots=True)
class Relationship:
    """A pointer from one part to another; `kind` is the last word of its type URI."""

    id: str
    kind: str
    target: str


@dataclass(slots=True)
class _Relationships:
    base: str
    found: list[Relationship] = field(default_factory=list)

    def start(self, name: str, attributes: xml.Attributes) -> None:
        if name != "rel:Relationship" or attributes.get("TargetMode") == "External":
            return
        target = posixpath.join(self.base, unquote(attributes.get("Target", "")))
        kind = attributes.get("Type", "").rpartition("/")[2]
        path = posixpath.normpath(target).lstrip("/")
        self.found.append(Relationship(attributes.get("Id", ""), kind, path))

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def relationships(archive: Archive, part: str = "") -> list[Relationship]:
    """Where a part points within its package; the package itself is the part with no name."""
    folder, name = posixpath.split(part)
    rels = posixpath.join(folder, "_rels", name + ".rels")
    if rels not in archive:
        return []
    handler = _Relationships(folder)
    with suppress(Damaged):
        xml.parse(archive.stream(rels), handler)
    return handler.found


def targets(archive: Archive, part: str, kind: str) -> Iterator[str]:
    """The parts of one kind that a part points at and that are there."""
    for relationship in relationships(archive, part):
        if relationship.kind == kind and relationship.target in archive:
            yield relationship.target


def main_part(archive: Archive, usual: str) -> str:
    """The part that the package opens with. Raises ParseError where there is none."""
    part = next(targets(archive, "", "officeDocument"), usual)
    if part not in archive:
        raise ParseError(f"It is a zip container without {usual}.")
    return part


@dataclass(slots=True)
class Properties:
    """A handler that collects Dublin Core elements by local name: OPC, ODF and OPF alike."""

    values: dict[str, str] = field(default_factory=dict)
    _open: str | None = None

    def start(self, name: str, attributes: xml.Attributes) -> None:
        prefix, _, local = name.partition(":")
        known = prefix in {"dc", "dcterms"} and local not in self.values
        self._open = local if known else None
        if known:
            self.values[local] = ""

    def end(self, name: str) -> None:
        self._open = None

    def text(self, data: str) -> None:
        if self._open and len(self.values[self._open]) < 1000:
            self.values[self._open] += data

    def title(self) -> str | None:
        """The title, where it is one."""
        return usable(self.values.get("title"))

    def metadata(self) -> dict[str, Scalar]:
        """Author and date (ISO 8601, as written), where they are given."""
        date = next(
            (self.values[key] for key in ("modified", "date", "created") if self.values.get(key)),
            "",
        )
        pairs = {"author": self.values.get("creator", ""), "date": date}
        return {key: value.strip()[:200] for key, value in pairs.items() if value.strip()}


def properties(archive: Archive) -> Properties:
    """The core properties of an Office file; empty where they are missing or damaged."""
    found = Properties()
    for part in targets(archive, "", "core-properties"):
        with suppress(Damaged):
            xml.parse(archive.stream(part), found)
    return found

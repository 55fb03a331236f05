"""Finds what questions expect among the documents of a collection, and tells which hits hold it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ragcli.evaluate.extents import Extent, Extents, Reader
from ragcli.evaluate.questions import Expected, Item, Problem
from ragcli.types import Hit, Lines, Place, StoredChunk

_WORD = re.compile(r"[^\W_]+")
ANSWER = "answer"


class Catalogue(Reader, Protocol):
    """The part of a ledger that knows which documents there are, and their chunks."""

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """All rows of a SELECT."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """An expected place, with the documents of the collection that it may lie in; none: never found."""

    documents: frozenset[int]
    paths: frozenset[str]
    pages: tuple[int, ...] = ()
    lines: Lines | None = None
    grade: int = 1

    @property
    def whole(self) -> bool:
        """Whether the document as a whole is meant."""
        return not self.pages and self.lines is None

    def holds(self, chunk: StoredChunk, place: Place | None = None) -> bool:
        """Whether a chunk, or the stretch of it at `place`, stands in this place."""
        if chunk.document not in self.documents:
            return False
        return self.whole or self.meets(Extent.of(chunk, place))

    def meets(self, extent: Extent) -> bool:
        """Whether this much of one of the documents has a part in this place."""
        if self.pages and not extent.on_pages(self.pages):
            return False
        if self.lines is None or extent.lines is None:
            return self.lines is None or bool(self.pages)
        return extent.lines[0] <= self.lines[1] and self.lines[0] <= extent.lines[1]


@dataclass(frozen=True, slots=True)
class Gold:
    """What would be right for one question, in one collection."""

    targets: tuple[Target, ...]
    answers: tuple[str, ...] = ()

    @property
    def grades(self) -> dict[str, int]:
        """What there is to find, by the names that `ranking` gives it."""
        found = {_name(number): target.grade for number, target in enumerate(self.targets)}
        return found or ({ANSWER: 1} if self.answers else {})

    def ranking(self, hits: Iterable[Hit]) -> list[str]:
        """Hits as names, best first: what is found keeps the name of `grades`, once.

        A further hit of what was found already takes no place.
        """
        names: list[str] = []
        seen: set[str] = set()
        for rank, hit in enumerate(hits):
            held = self._held(hit)
            fresh = [name for name in held if name not in seen]
            seen.update(fresh)
            if not held:
                names.append(f"other {rank}")
            names.extend(fresh)
        return names

    def holds(self, chunk: StoredChunk, text: str, place: Place | None = None) -> bool:
        """Whether a stretch of a chunk stands in an expected place, or says an accepted answer."""
        return says(text, self.answers) or any(
            target.holds(chunk, place) for target in self.targets
        )

    def _held(self, hit: Hit) -> list[str]:
        if not self.targets:
            return [ANSWER] if says(hit.chunk.text, self.answers) else []
        copies = {hit.chunk.path, *hit.copies}
        return [
            _name(number)
            for number, target in enumerate(self.targets)
            if target.holds(hit.chunk) or (target.whole and target.paths & copies)
        ]


def _name(number: int) -> str:
    return f"expected {number}"


def says(text: str, answers: Iterable[str]) -> bool:
    """Whether a text holds one of the answers: whole words, case and punctuation aside."""
    said = f" {_words(text)} "
    return any(f" {words} " in said for answer in answers if (words := _words(answer)))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def resolve(
    items: Sequence[Item], catalogue: Catalogue, folders: Sequence[Path]
) -> tuple[dict[str, Gold], list[Problem]]:
    """What each question would find in a collection, by the question's id, and what is not there.

    An expected document is the id of a record, an absolute path, a path below one of `folders`,
    or the end of a path.
    """
    wanted = {place.document for item in items for place in item.expected}
    known, extents = _Documents(catalogue, wanted, folders), Extents(catalogue)
    golds, problems = {}, []
    for item in items:
        targets = tuple(known.target(place) for place in item.expected)
        golds[item.id] = Gold(targets, item.answers or ())
        problems += [
            Problem(item.file, item.line, f"{_shown(place)} {wrong}")
            for place, target in zip(item.expected, targets, strict=True)
            if (wrong := _wrong(target, extents))
        ]
    return golds, problems


def _shown(place: Expected) -> str:
    record = f" #{place.doc_id}" if place.doc_id else ""
    return f"the document {place.document!r}{record}"


def _wrong(target: Target, extents: Extents) -> str:
    """Why nothing can be found in this place, if that is so."""
    if not target.documents:
        return "is not in the collection"
    if target.whole or any(target.meets(one) for id in target.documents for one in extents.of(id)):
        return ""
    pages = " or ".join(map(str, target.pages))
    lines = "-".join(map(str, target.lines or ()))
    where = [f"page {pages}"] * bool(pages) + [f"lines {lines}"] * bool(lines)
    return f"has no text on {', '.join(where)}"


class _Documents:
    """The documents of a collection by the names that a set uses for them."""

    def __init__(self, catalogue: Catalogue, wanted: set[str], folders: Sequence[Path]) -> None:
        self._named: dict[str, set[int]] = {}
        self._record: dict[int, str | None] = {}
        self._path: dict[int, str] = {}
        paths = self._spellings(wanted, folders)
        ends: dict[str, list[str]] = {}
        rows = catalogue.query(
            "SELECT d.id, d.doc_id, f.path FROM documents d JOIN files f ON f.id = d.file"
            " WHERE f.state = 'ready'"
        )
        for id, record, path in rows:
            assert isinstance(id, int) and isinstance(path, str)
            if path not in ends:
                ends[path] = [name for end in _ends(path) for name in paths.get(end, ())]
            names = [*ends[path], *([record] if record in wanted else [])]
            for name in names:
                self._named.setdefault(str(name), set()).add(id)
            if names:
                self._record[id] = None if record is None else str(record)
                self._path[id] = path

    @staticmethod
    def _spellings(wanted: set[str], folders: Sequence[Path]) -> dict[str, list[str]]:
        paths: dict[str, list[str]] = {}
        for name in wanted:
            spelled = {os.path.normpath(name)}
            spelled |= {os.path.normpath(folder / name) for folder in folders if ".." in name}
            for spelling in spelled:
                paths.setdefault(spelling, []).append(name)
        return paths

    def target(self, place: Expected) -> Target:
        ids = {
            id
            for id in self._named.get(place.document, ())
            if place.doc_id is None or self._record[id] == place.doc_id
        }
        # Records share a file: its path says nothing about which of them was found.
        paths = {self._path[id] for id in ids if self._record[id] is None}
        return Target(frozenset(ids), frozenset(paths), place.pages, place.lines, place.grade)


def _ends(path: str) -> list[str]:
    parts = path.split("/")
    return [path, *("/".join(parts[at:]) for at in range(1, len(parts)))]

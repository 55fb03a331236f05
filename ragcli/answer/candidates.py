"""The candidates for an answer: the units of all hits, each as a reader would understand it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.answer.sentences import MARKER, Unit, units
from ragcli.answer.words import Words, read
from ragcli.types import Hit

LEAD = 20
"""Words up to which a lead-in is read together with each item that it announces."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit of a hit's text as it is understood, with its words.

    `text` is what a reader takes it to say: an item with its lead-in, a row with the names of its
    columns. The others are indices of candidates: `before` is ahead of it in the hit, `leans_on`
    is the one it needs, `under` the heading inside the text that it stands under.
    """

    hit: int
    unit: Unit
    text: str
    words: Words
    before: int | None = None
    leans_on: int | None = None
    under: int | None = None

    @property
    def heads(self) -> bool:
        """Whether it is the header of a table, which answers nothing by itself."""
        return self.unit.kind == "row" and self.unit.leads_in


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """The units of all hits, in the order of the hits and of their texts."""
    found: list[Candidate] = []
    for rank, hit in enumerate(hits):
        found += _of_hit(rank, hit, len(found))
    return found


def _of_hit(rank: int, hit: Hit, offset: int) -> list[Candidate]:
    text = hit.chunk.text
    split = units(text)
    found: list[Candidate] = []
    under: int | None = None
    for n, unit in enumerate(split):
        said = _understood(text, split, n)
        leans = None if unit.leans_on is None else offset + unit.leans_on
        before = offset + n - 1 if n else None
        found.append(Candidate(rank, unit, said, read(said), before, leans, under))
        if unit.leads_in and unit.kind == "sentence" and said[-1] not in ":：":
            under = offset + n
    return found


def title_words(hit: Hit) -> Words:
    """The words of the title and the headings that a hit stands under."""
    return read(" ".join([hit.chunk.title or "", *hit.chunk.heading]))


def _understood(text: str, split: Sequence[Unit], n: int) -> str:
    """What a unit says on one line, with the lead-in or the column names that it depends on."""
    unit = split[n]
    own = " ".join(text[unit.start : unit.end].split())
    if unit.kind == "item":
        own = MARKER.sub("", own, count=1)
    if unit.leans_on is None or unit.kind not in ("item", "row"):
        return own
    lead = " ".join(text[split[unit.leans_on].start : split[unit.leans_on].end].split())
    if unit.kind == "row":
        return _named(_cells(lead), _cells(own)) or own
    return f"{lead} {own}" if len(lead.split()) <= LEAD else own


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"[|\t;]", row.strip("| "))]


def _named(columns: Sequence[str], cells: Sequence[str]) -> str:
    """A row as `column: cell, ...`; empty where the two do not fit."""
    if len(columns) != len(cells) or len(cells) < 2:
        return ""
    return ", ".join(f"{name}: {cell}" for name, cell in zip(columns, cells, strict=True))

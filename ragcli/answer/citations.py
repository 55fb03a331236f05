"""Turns chosen ranges of hits into citations and the text that carries their markers. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.answer.sentences import UnitKind
from ragcli.types import Citation, Hit


@dataclass(frozen=True, slots=True)
class Quote:
    """The characters `start:end` of a hit's text, and how they are laid out."""

    hit: int
    start: int
    end: int
    kind: UnitKind


def cite(hits: Sequence[Hit], quotes: Sequence[Quote]) -> list[Citation]:
    """One citation for each quote, numbered from 1; its place is the quote's, its score the hit's."""
    return [
        Citation(
            n,
            (hit := hits[quote.hit]).chunk,
            hit.chunk.text[quote.start : quote.end],
            hit.chunk.place(quote.start, quote.end),
            hit.score,
        )
        for n, quote in enumerate(quotes, 1)
    ]


def compose(citations: Sequence[Citation], quotes: Sequence[Quote]) -> str:
    """The quotes one after the other, each followed by its marker.

    Sentences flow on one line whatever the line ends of their source; lists, rows and code keep
    their lines.
    """
    text = ""
    flows = True
    for citation, quote in zip(citations, quotes, strict=True):
        sentence = quote.kind == "sentence"
        gap = " " if flows and sentence else "\n"
        said = " ".join(citation.quote.split()) if sentence else citation.quote
        marker = f"\n[{citation.n}]" if quote.kind == "code" else f" [{citation.n}]"
        text += (gap if text else "") + said + marker
        flows = sentence
    return text

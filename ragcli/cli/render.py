"""Hits, citations and places as JSON (version 1) and as lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.output import Output, clean
from ragcli.types import Citation, Hit, Place, StoredChunk

if TYPE_CHECKING:
    from ragcli.answer import Sentence

SNIPPET = 200


def shown_path(path: str, cwd: Path) -> str:
    """The path relative to the working directory where it lies below it, else as it is."""
    if not Path(path).is_absolute():
        return path
    try:
        return str(Path(path).relative_to(cwd))
    except ValueError:
        return path


def hit_json(hit: Hit, rank: int, cwd: Path, *, explain: bool = False) -> dict[str, Any]:
    """One hit of `ragcli.search/1`; unknown places are null."""
    place = hit.chunk.place()
    found = {
        "rank": rank,
        **_source_json(hit.chunk, place, cwd),
        "chunk": hit.chunk.id,
        "score": round(hit.score, 4),
        "scores": {
            "dense": _rounded(hit.dense),
            "lexical": _rounded(hit.lexical),
            "fused": _rounded(hit.retrieved),
        },
        "text": hit.chunk.text,
    }
    if explain:
        found["explain"] = {
            "dense_rank": hit.dense_rank,
            "lexical_rank": hit.lexical_rank,
            "copies": [shown_path(path, cwd) for path in hit.copies],
            "why": hit.why,
        }
    return found


def citation_json(citation: Citation, cwd: Path) -> dict[str, Any]:
    """One citation of `ragcli.query/1`."""
    return {
        "n": citation.n,
        **_source_json(citation.chunk, citation.place, cwd),
        "quote": citation.quote,
        "chunk": citation.chunk.id,
        "score": round(citation.score, 4),
        "supported": citation.supported,
    }


def sentence_json(sentence: Sentence) -> dict[str, Any]:
    """One checked sentence of `ragcli.query/1`; `supported` is null where nothing is claimed."""
    return {
        "text": sentence.text,
        "citations": sentence.citations,
        "supported": sentence.supported,
        "reason": sentence.reason,
    }


def chunk_json(chunk: StoredChunk, cwd: Path) -> dict[str, Any]:
    """One chunk of `ragcli.show/1`."""
    return {
        "chunk": chunk.id,
        **_source_json(chunk, chunk.place(), cwd),
        "tokens": chunk.tokens,
        "text": chunk.text,
    }


def _source_json(chunk: StoredChunk, place: Place, cwd: Path) -> dict[str, Any]:
    return {
        "document": shown_path(chunk.path, cwd),
        "doc_id": chunk.doc_id,
        "title": chunk.title,
        "page": place.page,
        "lines": list(place.lines) if place.lines else None,
        "page_unit": chunk.page_unit if place.page is not None else None,
        "page_label": place.page_label,
        "line_unit": chunk.line_unit if place.lines else None,
        "heading": list(chunk.heading),
    }


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def source_line(chunk: StoredChunk, place: Place, cwd: Path) -> str:
    """`docs/guide.pdf p.12 · Guide > Install`, or `docs/cli.md:40-52`: path first, place behind it."""
    line = clean(shown_path(chunk.path, cwd), one_line=True) + _place(chunk, place)
    if chunk.doc_id is not None:
        line += f" #{clean(chunk.doc_id, one_line=True)}"
    heading = " > ".join(clean(part, one_line=True) for part in chunk.heading)
    return f"{line} · {heading}" if heading else line


def _place(chunk: StoredChunk, place: Place) -> str:
    text = ""
    if place.lines:
        first, last = place.lines
        lines = f"{first}" if first == last else f"{first}-{last}"
        text = f":{lines}" if chunk.line_unit == "line" else f" row {lines}"
    if place.page is None:
        return text
    label = f" ({clean(place.page_label, one_line=True)})" if place.page_label else ""
    prefix = {"about": "p.~", "slide": "slide ", "cell": "cell "}.get(chunk.page_unit or "", "p.")
    return f"{text} {prefix}{place.page}{label}"


def print_hits(
    out: Output, hits: Sequence[Hit], cwd: Path, *, explain: bool = False, full: bool = False
) -> None:
    """Numbered hits for people: where, the score, the beginning of the text."""
    for rank, hit in enumerate(hits, 1):
        place = source_line(hit.chunk, hit.chunk.place(), cwd)
        out.data(f"{out.bold(f'{rank}. {place}')}  {out.faint(f'{hit.score:.2f}')}")
        if explain and hit.why:
            out.data(f"   {clean(hit.why, one_line=True)}")
        out.data(_indent(clean(hit.chunk.text) if full else snippet(hit.chunk.text)))


def snippet(text: str, length: int = SNIPPET) -> str:
    """The beginning of a text on one line, cut at a word."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= length else flat[:length].rsplit(" ", 1)[0] + " …"


def _indent(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.split("\n"))

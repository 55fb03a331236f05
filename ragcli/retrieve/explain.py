"""Words why a hit is where it is: one sentence for a person. Ranks nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from ragcli.retrieve.fusion import coverage
from ragcli.types import Hit

Stems = Callable[[str], list[str]]
_WORD = re.compile(r"\w+")
_SHOWN = 8


def why(hit: Hit, question: str, stems: Stems, *, ceiling: float, more: int = 0) -> str:
    """One sentence: places and scores on both sides, matched words, what the hit stands for.

    `stems` is the analysis of the lexical index, `ceiling` its highest possible score for the
    question, `more` the number of further hits of the same document.
    """
    parts = [part for part in (_by_meaning(hit), _by_words(hit, ceiling)) if part]
    sentence = " and ".join(parts) or "Found"
    said = [sentence[0].upper() + sentence[1:], _matched(hit, question, stems)]
    if hit.fused is not None:
        said.append(f"fused {hit.fused:.2f}, reranked {hit.score:.2f}")
    if hit.copies:
        said.append(f"stands for {_count(len(hit.copies), 'near-duplicate')}")
    if more:
        said.append(f"the best of {_count(more + 1, 'hit')} in its document")
    return "; ".join(part for part in said if part) + "."


def _by_meaning(hit: Hit) -> str:
    if hit.dense is None:
        return ""
    return f"{_place(hit.dense_rank)} by meaning (cosine {hit.dense:.2f})"


def _by_words(hit: Hit, ceiling: float) -> str:
    if hit.lexical is None:
        return ""
    share = f"{coverage(hit.lexical, ceiling) * 100:.0f} % of what the question's words weigh"
    return f"{_place(hit.lexical_rank)} by words (BM25 {hit.lexical:.1f}, {share})"


def _place(rank: int | None) -> str:
    return f"number {rank}" if rank is not None else "not among the candidates"


def _matched(hit: Hit, question: str, stems: Stems) -> str:
    asked = _words(question, stems)
    chunk = hit.chunk
    fields = {
        "title": chunk.title or "",
        "headings": " ".join(chunk.heading),
        "text": chunk.text,
    }
    found = []
    for name, text in fields.items():
        present = set(stems(text))
        words = [word for word, stem in asked.items() if stem in present]
        if words:
            found.append(f"{_listed(words)} in the {name}")
    return ", ".join(found) or "no word of the question occurs in it"


def _words(question: str, stems: Stems) -> dict[str, str]:
    """Each word of the question once, in any case, with its stem."""
    asked: dict[str, str] = {}
    for word in dict.fromkeys(_WORD.findall(question.lower())):
        for stem in stems(word)[:1]:
            if stem not in asked.values():
                asked[word] = stem
    return asked


def _listed(words: list[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_SHOWN])
    return shown + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""Makes hits of an encyclopedia look like other documents, so that what is fitted holds there too.

Handbooks have lists, contents whose lines repeat the words of a question without answering it,
and headings that are the question itself. Which sentence answers does not change by it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ragcli.answer.words import question
from ragcli.documents.sentences import sentences
from ragcli.types import Hit

UNTITLED, LISTED, CONTENTS, ASKED = 0.3, 0.15, 0.25, 0.1


def reworded(text: str, chance: random.Random) -> str:
    """The question as it is, or as keywords, or as an instruction."""
    draw = chance.random()
    if draw < 0.15:
        return " ".join(word for word, _ in question(text).spoken) or text
    if draw < 0.2:
        return f"Explain {text[:1].lower()}{text[1:].rstrip('?')}"
    return text


def disguised(hits: Sequence[Hit], gold: str, asked: str, chance: random.Random) -> list[Hit]:
    """The hits without titles, as lists, with a table of contents, or with the question as heading."""
    shown = list(hits)
    if chance.random() < UNTITLED:
        shown = [replace(hit, chunk=replace(hit.chunk, title=None)) for hit in shown]
    if chance.random() < LISTED:
        shown = [_written(hit, as_list(hit.chunk.text)) for hit in shown]
    if chance.random() < ASKED:
        shown = [
            _written(hit, f"{asked}\n\n{hit.chunk.text}") if hit.chunk.doc_id == gold else hit
            for hit in shown
        ]
    if chance.random() < CONTENTS and len(shown) > 1:
        others = [n for n, hit in enumerate(shown) if hit.chunk.doc_id != gold]
        if others:
            n = chance.choice(others)
            shown[n] = _written(shown[n], contents(asked, shown, chance))
    return shown


def as_list(text: str) -> str:
    """Every sentence as an item of a list."""
    return "\n".join(f"- {text[start:end]}" for start, end in sentences(text))


def contents(asked: str, hits: Sequence[Hit], chance: random.Random) -> str:
    """Lines like those of a table of contents: words of the question, and openings of sentences."""
    words = [word for word, _ in question(asked).spoken]
    lines = [" ".join(words[first:]) for first in range(min(len(words), 3))]
    for hit in hits:
        for start, end in sentences(hit.chunk.text)[:3]:
            lines.append(" ".join(hit.chunk.text[start:end].split()[: chance.randint(2, 6)]))
    chance.shuffle(lines)
    return "\n".join(f"- {line.strip(' ,;:.')}" for line in lines if line.strip(" ,;:."))


def _written(hit: Hit, text: str) -> Hit:
    return replace(hit, chunk=replace(hit.chunk, text=text))

"""Makes questions from the collection itself: titles, headings and telling sentences, without an LLM.

A question is kept only if its chunk can be found by it: among the best of the words or the meaning.
What is asked with is taken out of the text that answers, so that nothing is learned by copying; the
rest is what is embedded: text with title and headings in front.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ragcli.finetune.ground import CHUNK, Ground
from ragcli.finetune.material import Material, Passage, Question
from ragcli.finetune.shelf import Shelf
from ragcli.retrieve.sides import dense_side, lexical_side
from ragcli.types import embed_text

MOST = 10_000
DEEP = 20
SHORTEST, LONGEST = 3, 40
"""Words of a question."""
BATCH = 64
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])")
RECIPES = ("titles", "headings", "sentences", "all")


def from_collection(
    ground: Ground, embedder: Any, seed: int, *, most: int = MOST, recipe: str = "all"
) -> Material:
    """Questions, each answered by the one chunk that it was made from."""
    keys = sorted(ground.names)
    random.Random(seed).shuffle(keys)
    material = Material("the collection", "documents", {"recipe": recipe}, {}, Shelf())
    made = _made(ground, keys, recipe)
    batch: list[tuple[int, str, str]] = []
    for entry in made:
        batch.append(entry)
        if len(batch) == BATCH:
            _keep(ground, embedder, batch, material)
            batch = []
        if len(material.questions) >= most:
            break
    _keep(ground, embedder, batch, material)
    _add_passages(ground, material)
    return material


def _made(ground: Ground, keys: list[int], recipe: str) -> Iterator[tuple[int, str, str]]:
    """(chunk key, question, what is left of the chunk)."""
    titled: set[int] = set()
    for start in range(0, len(keys), BATCH):
        chunks = ground.collection.ledger.chunks(keys[start : start + BATCH])
        for key in keys[start : start + BATCH]:
            chunk = chunks.get(key)
            if chunk is None:
                continue
            if recipe in ("titles", "all") and chunk.title and chunk.document not in titled:
                titled.add(chunk.document)
                if _fits(chunk.title):
                    yield key, chunk.title, chunk.text
                    continue
            if (
                recipe in ("headings", "all")
                and chunk.heading
                and _fits(" ".join(chunk.heading[-2:]))
            ):
                yield key, " ".join(chunk.heading[-2:]), chunk.text
            elif recipe in ("sentences", "all"):
                for sentence, rest in _sentence(chunk.text):
                    yield key, sentence, embed_text(chunk.title, chunk.heading, rest)


def _sentence(text: str) -> Iterator[tuple[str, str]]:
    """The longest sentence of the middle, and the text without it."""
    sentences = [part for part in _SENTENCE.split(text) if _fits(part)]
    if len(sentences) < 3:
        return
    chosen = max(sentences, key=lambda part: len(set(part.lower().split())))
    yield chosen, text.replace(chosen, " ", 1)


def _fits(text: str) -> bool:
    return SHORTEST <= len(text.split()) <= LONGEST


def _keep(
    ground: Ground, embedder: Any, batch: list[tuple[int, str, str]], material: Material
) -> None:
    if not batch:
        return
    vectors = embedder.encode([text for _, text, _ in batch], query=True)
    for (key, text, rest), vector in zip(batch, vectors, strict=True):
        found = {*dense_side(ground.collection, vector, DEEP, None).ranks}
        found |= {*lexical_side(ground.collection, text, DEEP, None).ranks}
        if key not in found:
            continue
        name = ground.names[key]
        material.questions[f"made {key}"] = Question(text, {name: 1})
        material.passages[name] = Passage(rest, "")


def _add_passages(ground: Ground, material: Material) -> None:
    """All chunks are passages; those that were asked about lack what was asked with."""
    keys = sorted(ground.names)
    for start in range(0, len(keys), 1000):
        for key, chunk in ground.collection.ledger.chunks(keys[start : start + 1000]).items():
            name = ground.names[key]
            known = material.passages.get(name)
            text = known.text if known else embed_text(chunk.title, chunk.heading, chunk.text)
            material.passages[name] = Passage(text, str(chunk.document))


def general(material: Material, taken: Mapping[str, Question]) -> dict[str, Question]:
    """The made questions about documents that none of the others is about."""
    busy = {name for question in taken.values() for name in question.relevant}
    return {
        id: question
        for id, question in material.questions.items()
        if not busy & question.relevant.keys()
    }


def is_chunk(name: str) -> bool:
    """Whether a passage is a chunk and not a record."""
    return name.startswith(CHUNK)

"""What is trained on is what the corpus searches: the nearest chunk of a passage, in topics that are alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from models import make_model

from ragcli.embedders import build
from ragcli.embedders.embedder import SentenceEmbedder
from ragcli.finetune.excerpts import as_searched
from ragcli.finetune.ground import Ground, Scene, from_passages
from ragcli.finetune.material import Passage, Row
from ragcli.finetune.topics import MEMBERS, topics
from ragcli.ingest.report import Progress
from ragcli.settings import Embedder, Settings

THEMES = ("harbour tide log", "bread flour yeast")
COUNT = 4 * MEMBERS


class Silent(Progress):
    """Nobody is told."""


@pytest.fixture
def embedder(tmp_path: Path) -> SentenceEmbedder:
    choice = Embedder(model=str(make_model(tmp_path / "base")))
    return build(choice, tmp_path / "cache", True, on_progress=print)


@pytest.fixture
def ground(embedder: SentenceEmbedder, tmp_path: Path) -> Iterator[Ground]:
    """Short records about two themes in turn, and one of two chunks."""
    passages = {f"d{n}": Passage(f"{THEMES[n % 2]} {n}", f"d{n}") for n in range(COUNT)}
    long = " ".join(["The river carries sand."] * 12 + ["The library lends books."] * 12)
    passages["long"] = Passage(long, "long", "Both")
    scene = Scene(Settings(), Silent())
    made = from_passages(tmp_path / "ground", passages, scene, embedder.info, lambda: embedder)
    yield made
    made.close()


def test_answers_that_are_alike_share_a_topic(ground: Ground) -> None:
    names = [f"d{n}" for n in range(COUNT)]
    found = topics([*names, "elsewhere"], ground, 1)
    assert set(found) == set(names)
    themes = [{found[name] for name in names[at::2]} for at in (0, 1)]
    assert themes[0] and themes[1] and not themes[0] & themes[1]
    assert topics(names, ground, 1) == found
    assert topics(names[: MEMBERS // 2], ground, 1) == {}


def test_a_row_gets_the_chunk_nearest_to_its_question(
    ground: Ground, embedder: SentenceEmbedder
) -> None:
    assert len(ground.keys()["long"]) > 1
    rows = [
        Row(question, (question, "Both\n\nall of it", "not here"), ("long", "unknown"))
        for question in ("sand of the river", "books of the library")
    ]
    sand, books = as_searched(rows, ground, embedder)
    assert sand.texts[1].count("sand") > sand.texts[1].count("books")
    assert books.texts[1].count("books") > books.texts[1].count("sand")
    for row in (sand, books):
        (vector,) = embedder.encode([row.texts[1]])
        _, stored = ground.collection.ledger.vectors(ground.keys()["long"])
        assert (stored @ vector).max() > 0.9995
    assert sand.texts[2] == "not here" and sand.passages == ("long", "unknown")

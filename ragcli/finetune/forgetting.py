"""The check against forgetting: questions that training is not about, asked before and after.

Of a set that the user names, or made from documents of the corpus that no example is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.errors import UsageError
from ragcli.evaluate.paired import Difference, compare
from ragcli.finetune import beir, pseudo
from ragcli.finetune.ground import Ground, Scene, from_passages
from ragcli.finetune.loading import load
from ragcli.finetune.material import Material, Question
from ragcli.finetune.proof import Values, measure
from ragcli.settings import Retrieval

if TYPE_CHECKING:
    from ragcli.embedders import EmbedderInfo

MOST = 300
"""Questions; of a larger set these come first."""


@dataclass(frozen=True, slots=True)
class Probe:
    """General questions, the corpus that they are asked in, and how the base did."""

    name: str
    ground: Ground
    questions: dict[str, Question]
    before: Values

    def again(self, embedder: Any, retrieval: Retrieval) -> Difference:
        """What another embedder changes; the corpus holds its vectors already."""
        after = measure(self.ground, embedder, self.questions, retrieval)
        return compare(self.before["dense"], after["dense"])


def made(
    ground: Ground, embedder: Any, material: Material, seed: int, retrieval: Retrieval
) -> Probe:
    """Questions made from documents that no example is about."""
    found = pseudo.from_collection(ground, embedder, seed, most=2 * MOST)
    questions = _first(pseudo.general(found, material.questions))
    name = "questions made from documents that no example is about"
    return Probe(name, ground, questions, measure(ground, embedder, questions, retrieval))


def read(path: Path) -> Material:
    """The set at a path: a BEIR folder, or a file of questions and passages. Raises UsageError."""
    material = beir.judging(path) if path.is_dir() else load(path)
    if not any(question.relevant for question in material.questions.values()):
        raise UsageError(f"{path} holds no question with an answer.", "Give another --general.")
    return material


def given(
    material: Material,
    folder: Path,
    scene: Scene,
    base: EmbedderInfo,
    build: Callable[[], Any],
) -> Probe:
    """The questions of a set, in a corpus made of its passages."""
    ground = from_passages(folder, material.passages, scene, base, build)
    questions = _first({id: one for id, one in material.questions.items() if one.relevant})
    before = measure(ground, build(), questions, scene.settings.retrieval)
    return Probe(material.name, ground, questions, before)


def _first(questions: dict[str, Question]) -> dict[str, Question]:
    return dict(list(questions.items())[:MOST])

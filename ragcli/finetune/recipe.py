"""What a run is told and given, and what comes of it. Plain data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ragcli.finetune.forgetting import Probe
from ragcli.finetune.ground import Ground, Scene
from ragcli.finetune.jury import Jury
from ragcli.finetune.material import Material, Question
from ragcli.finetune.proof import Proof, Values, measure
from ragcli.finetune.split import Parts
from ragcli.index.collection import Collection
from ragcli.settings import Retrieval

if TYPE_CHECKING:
    from ragcli.embedders import EmbedderInfo


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. What is None is chosen by the data."""

    mode: Literal["full", "adapter"] = "full"
    loss: str | None = None
    epochs: float | None = None
    batch: int = 64
    learning_rate: float | None = None
    negatives: int = 0
    seed: int = 7
    matryoshka: tuple[int, ...] = ()
    lora: int = 0
    patience: int = 3
    most_steps: int = -1
    most_examples: int | None = None
    precision: str = "auto"
    questions: str = "all"
    general: Path | None = None
    judge: Path | None = None
    log_to: tuple[str, ...] = ()
    resume: bool = False
    restart: bool = False
    """Give up a run that was interrupted."""
    estimate: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run is given: the base embedder, a way to open another, folders, someone to tell."""

    scene: Scene
    base: EmbedderInfo
    embedder: Callable[[], Any]
    describe: Callable[[Path], EmbedderInfo]
    open: Callable[[Path], Any]
    collection: Callable[[], Collection]
    work: Path
    curves: Path
    tell: Callable[[str], None]
    warn: Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What came of it; `staged` is the folder of what is to be kept, None where the base stays."""

    proof: Proof | None
    staged: Path | None
    reason: str
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Prepared:
    """Data, corpus and parts of one run. Without a jury the test part of the data judges."""

    material: Material
    parts: Parts
    ground: Ground
    before: Values
    probe: Probe | None
    embedder: Any
    jury: Jury | None = None
    own: bool = False
    """Whether the corpus is a copy of the user's collection."""
    asking: float = 0.0
    """Seconds that the judging questions took when they were asked last."""

    @property
    def seen(self) -> frozenset[str]:
        """The judging questions of which a document is also trained on."""
        return self.jury.seen if self.jury else self.parts.seen

    def measure(self, embedder: Any, retrieval: Retrieval) -> Values:
        """Ask the judging questions with this embedder."""
        started = time.monotonic()
        if self.jury:
            values = self.jury.measure(embedder, retrieval)
        else:
            values = measure(self.ground, embedder, self.asked(self.parts.test), retrieval)
        self.asking = time.monotonic() - started
        return values

    @property
    def grounds(self) -> list[Ground]:
        """The corpora, each once: what is trained on, what judges, what is general."""
        others = (
            self.jury.ground if self.jury else None,
            self.probe.ground if self.probe else None,
        )
        found = {id(ground): ground for ground in (self.ground, *others) if ground is not None}
        return list(found.values())

    def asked(self, ids: Iterable[str]) -> dict[str, Question]:
        """Some of the questions."""
        return {id: self.material.questions[id] for id in ids}

    def close(self) -> None:
        """Let go of the corpora."""
        for ground in self.grounds:
            ground.close()

"""What the training child is told, written as one JSON file that a resumed run reads again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

CHECKPOINTS = "checkpoints"
"""The folder of them within that of the run."""


@dataclass(frozen=True, slots=True)
class Order:
    """Folders and files, the loss, and the numbers of the recipe.

    `rows` is JSONL with `texts`, `label`, `question`, `passages`, `relevant` and `topic`;
    `development` one JSON object with `passages` (the pieces of each), `questions`, `relevant` and
    `apart`.
    """

    model: str
    folder: str
    work: str
    rows: str
    development: str
    loss: str
    classes: bool = False
    epochs: float = 5.0
    most_steps: int = -1
    batch: int = 64
    learning_rate: float = 2e-5
    warmup: float = 0.1
    patience: int = 3
    seed: int = 7
    threads: int = 1
    evaluations: int = 5
    precision: str = "auto"
    document_prompt: str = ""
    query_prompt: str = ""
    matryoshka: list[int] = field(default_factory=list)
    lora: int = 0
    shares: list[float] = field(default_factory=lambda: [0.25, 0.5, 0.75, 1.0])
    resume: bool = False
    estimate: bool = False
    """Say what it costs and stop."""
    afterwards: float = 0.0
    """Seconds that the proof is expected to take once the child is done."""
    log_to: list[str] = field(default_factory=list)
    curves: str = ""
    """Folder for TensorBoard's files."""
    stop_after: int = 0
    """Interrupt after so many steps, as a person would; 0 never does."""

    def save(self, path: Path) -> None:
        """Write it."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Order:
        """Read it."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

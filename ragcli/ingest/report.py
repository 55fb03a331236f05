"""What an ingest run did, and how it says so while it runs. No behaviour beyond adding up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class IngestReport:
    """The figures of a run; a path counts under exactly one of those that `seen` adds up.

    `deleted` counts documents that left the collection, whose files are not there to be seen.
    `chunks` is what the collection holds afterwards. A run that was interrupted counts what it
    had finished.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    deleted: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason; a folder that was not walked ends in a slash and counts once."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Path and error."""
    warnings: list[str] = field(default_factory=list)
    """What to know of the run and of the collection."""
    incomplete: list[tuple[str, str]] = field(default_factory=list)
    """Path and what of the file was not read, of files that were."""
    chunks: int = 0
    embedded: int = 0
    """Chunks of the collection that have their vector."""
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def seen(self) -> int:
        """Paths that were looked at."""
        changed = self.added + self.updated + self.moved
        return changed + self.unchanged + len(self.skipped) + len(self.failed)


class Progress(Protocol):
    """Who is told how far a run is."""

    def phase(self, name: str, total: int | None) -> None:
        """A phase of `total` steps begins; None where their number is not known."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """So many steps more are done; `note` is what is being worked on."""

    def message(self, text: str) -> None:
        """Something to know while it runs."""

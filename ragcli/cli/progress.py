"""Progress on a terminal's stderr; silent anywhere else. The counts come from the rooms below."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from ragcli.cli.output import Output, clean

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class TerminalProgress:
    """Shows one bar per phase, with rate and remaining time; a context manager.

    Off a terminal it shows nothing but messages, and those only with --verbose.
    """

    def __init__(self, out: Output) -> None:
        self._out = out
        self._bars: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def phase(self, name: str, total: int | None) -> None:
        """Begin a phase of `total` steps (None: not known)."""
        if not self._out.progress:
            return
        bars = self._started()
        if self._task is not None:
            bars.update(self._task, total=bars.tasks[self._task].completed)
        self._task = bars.add_task(clean(name, one_line=True), total=total, note="")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report steps done, and what is being worked on."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=steps, note=clean(note, one_line=True)[-40:])

    def message(self, text: str) -> None:
        """Something to know while it runs."""
        if self._out.progress:
            self._started().console.print(clean(text), markup=False, highlight=False)
        else:
            self._out.detail(text)

    def _started(self) -> Progress:
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        return self._bars

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._task = None


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.0f}/s" if speed else "", style="dim")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False, style="dim"),
        console=Console(stderr=True),
        transient=True,
    )

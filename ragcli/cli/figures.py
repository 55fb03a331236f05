"""What becomes of figures: kept with their collection, written as a page, held against floors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ragcli.cli.files import write_text
from ragcli.cli.session import Session

if TYPE_CHECKING:
    from ragcli.evaluate.floors import Missed

BELOW = 4
"""The exit code when a measure is below its floor: all was done, and is not as it should be."""


def remember_run(
    session: Session, folder: Path, facts: dict[str, Any], side: str | None = None
) -> None:
    """Keep the figures with the collection; `side` is what was compared, where it was."""
    from ragcli.evaluate.history import remember

    try:
        remember(folder, facts, side)
    except OSError as error:
        session.out.warn(f"The result was not kept with the collection ({error.strerror}).")


def write_report(session: Session, file: Path, text: str) -> None:
    """Write a page for people to a file that they named."""
    write_text(session.cwd / file.expanduser(), text)
    session.out.note(f"Wrote {file}.")


def below_json(missed: Sequence[Missed]) -> list[dict[str, Any]]:
    """The floors that were not reached; the value is null where there was nothing to measure."""
    return [
        {
            "measure": str(floor),
            "least": floor.least,
            "value": None if value is None else round(value, 4),
        }
        for floor, value in missed
    ]


def exit_below(session: Session, missed: Sequence[Missed]) -> None:
    """Say which floors were not reached, and leave if there are any."""
    for floor, value in missed:
        if value is None:
            session.out.note(f"below: {floor} was not measured: no question came to be about it")
        else:
            session.out.note(f"below: {floor} is {value:.3f}, not {floor.least:g}")
    if missed:
        raise typer.Exit(BELOW)

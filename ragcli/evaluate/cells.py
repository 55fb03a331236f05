"""Reads rows from JSONL and CSV files, each with its line. Knows no column names."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Cells = dict[str, Any]
MOST_CELL = 10_000_000
"""Characters in one cell of a CSV file."""


def json_cells(path: Path) -> Iterator[tuple[int, Cells | str]]:
    """Each line of a JSONL file with its number, or why it cannot be read."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                yield number, "it is not JSON"
                continue
            yield number, row if isinstance(row, dict) else "it is not a JSON object"


def csv_cells(path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Each row of a CSV file with the number of its last line; the header names the columns."""
    csv.field_size_limit(MOST_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",;\t", key=header.count))
        try:
            columns = [name.strip() for name in next(reader, [])]
            for cells in reader:
                if len(cells) > len(columns):
                    yield reader.line_num, f"it has {len(cells)} cells, the header {len(columns)}"
                elif any(cells):
                    yield reader.line_num, dict(zip(columns, cells, strict=False))
        except csv.Error as error:
            yield reader.line_num, f"it is not CSV: {error}"

"""Reads rows from JSONL, CSV, TSV and Parquet files, each with its line. Knows no column names."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragcli.errors import UsageError
from ragcli.registry import Plug, require

Cells = dict[str, Any]
PARQUET = Plug("ragcli.finetune.reading", "finetune", ("pyarrow",))
PARQUET_ROWS = 1000
_CELL = 10_000_000


def read_rows(path: Path) -> Iterator[tuple[int, Cells | str]]:
    """Each row with its line (in Parquet its number), or why it cannot be read.

    Raises UsageError for a file of another kind, MissingExtra for Parquet without pyarrow.
    """
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson", ".json"):
        return _json(path)
    if kind in (".csv", ".tsv"):
        return _csv(path)
    if kind in (".parquet", ".pq"):
        return _parquet(path)
    raise UsageError(
        f"{path.name} is not of a kind that training data is read from.",
        "Give a .jsonl, .csv, .tsv or .parquet file, or a BEIR folder.",
    )


def _json(path: Path) -> Iterator[tuple[int, Cells | str]]:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                yield number, "it is not JSON"
                continue
            yield number, row if isinstance(row, dict) else "it is not a JSON object"


def _csv(path: Path) -> Iterator[tuple[int, Cells | str]]:
    csv.field_size_limit(_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",;\t", key=first.count))
        try:
            columns = [name.strip() for name in next(reader, [])]
            for cells in reader:
                if len(cells) > len(columns):
                    yield reader.line_num, f"it has {len(cells)} cells, the header {len(columns)}"
                elif any(cells):
                    yield reader.line_num, dict(zip(columns, cells, strict=False))
        except csv.Error as error:
            yield reader.line_num, f"it is not CSV: {error}"


def _parquet(path: Path) -> Iterator[tuple[int, Cells | str]]:
    require("finetune-embedder", "parquet", PARQUET)
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pyarrow.ArrowException as error:
        raise UsageError(f"{path.name} cannot be read as Parquet: {error}.") from error

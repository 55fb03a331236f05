"""Reads rows from JSONL, CSV, TSV and Parquet files, each with its line. Knows no column names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.evaluate.cells import Cells, csv_cells, json_cells
from ragcli.registry import Plug, require

PARQUET = Plug("ragcli.finetune.reading", "finetune", ("pyarrow",))
PARQUET_ROWS = 1000


def read_rows(path: Path) -> Iterator[tuple[int, Cells | str]]:
    """Each row with its line (in Parquet its number), or why it cannot be read.

    Raises UsageError for a file of another kind, MissingExtra for Parquet without pyarrow.
    """
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson", ".json"):
        return json_cells(path)
    if kind in (".csv", ".tsv"):
        return csv_cells(path)
    if kind in (".parquet", ".pq"):
        return _parquet(path)
    raise UsageError(
        f"{path.name} is not of a kind that training data is read from.",
        "Give a .jsonl, .csv, .tsv or .parquet file, or a BEIR folder.",
    )


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

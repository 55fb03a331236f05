"""A document that comes as bytes, under a name instead of a path. Does not read the stream itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from ragcli.errors import UsageError
from ragcli.index.rows import FileRow
from ragcli.ingest.names import printable
from ragcli.ingest.scan import MB, Found, Skipped
from ragcli.ingest.survey import Survey, is_current
from ragcli.settings import Ingest


def add_stdin(
    survey: Survey,
    stdin: tuple[str, bytes],
    rows: Mapping[str, FileRow],
    limits: Ingest,
    *,
    force: bool,
) -> None:
    """Decide for the document as for a file. Its name takes the place of a path, so it is no path."""
    name, data = printable(stdin[0]), stdin[1]
    if not name or os.path.isabs(name) or "\0" in name:  # noqa: PTH117
        raise UsageError(f"{name!r} is no name for a document.", "Give one such as --name notes.md")
    known = rows.get(name)
    same = known is not None and known.digest == hashlib.sha256(data).hexdigest()
    if not data:
        survey.skipped.append(Skipped(name, "empty"))
    elif len(data) > limits.max_file_mb * MB:
        survey.skipped.append(Skipped(name, f"larger than {limits.max_file_mb} MB"))
    elif known is None or not same or force or not is_current(known, limits):
        survey.plan.read.append((Found(name, "", len(data), 0), known))
        survey.data[name] = data
    elif known.state == "failed":
        survey.plan.failed.append(known)
    else:
        survey.plan.unchanged += 1

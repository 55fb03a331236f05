"""Whether a collection and the configuration belong together, and what `force` does where they don't.

Texts split in two ways or vectors of two models must never mix, so another embedder or splitter
means that the whole collection is emptied and read again from its folders. It is emptied in one
transaction: a crash leaves fewer documents, never a mixture, and the next run goes on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ragcli.documents.split import SplitterOptions, describe
from ragcli.embedders.info import EmbedderInfo
from ragcli.errors import ConfigError, FingerprintMismatch, UsageError
from ragcli.index import fingerprint
from ragcli.index.ledger import Ledger
from ragcli.ingest.survey import Survey, under
from ragcli.settings import Splitter


def splitter_options(settings: Splitter, info: EmbedderInfo) -> SplitterOptions:
    """Chunks as long as the embedder reads, or shorter as set; ConfigError where set longer."""
    most = info.max_tokens - info.prompt_tokens
    if settings.max_tokens is not None and settings.max_tokens > most:
        raise ConfigError(
            f"splitter.max_tokens is {settings.max_tokens}, but {info.model} reads {most} tokens.",
            f"Set splitter.max_tokens to {most} or less, or leave it out.",
        )
    return SplitterOptions(str(info.tokenizer), settings.max_tokens or most, settings.overlap)


def current_fingerprint(info: EmbedderInfo, options: SplitterOptions) -> dict[str, str]:
    """What a collection that is built now is built with."""
    return fingerprint.compute(info, describe(options))


def must_rebuild(ledger: Ledger, current: dict[str, str], *, force: bool) -> bool:
    """Whether the collection was built otherwise; without `force` that is FingerprintMismatch.

    For an embedder tuned from the one it was built with, new vectors of the old texts are enough.
    """
    if not force and fingerprint.related(fingerprint.stored(ledger), current):
        return False
    try:
        fingerprint.check(ledger, current)
    except FingerprintMismatch:
        if not force:
            raise
        return next(ledger.files(), None) is not None
    return False


def every_root(given: Sequence[Path], ledger: Ledger, *, prune: bool) -> list[Path]:
    """The given paths and all known roots. Raises UsageError where a document could not be read again."""
    if not prune:
        raise UsageError(
            "The collection must be built anew, which keeps no document whose file is gone.",
            "Leave out --no-prune.",
        )
    for row in ledger.files():
        if row.root is None:
            raise UsageError(
                f"The collection must be built anew, but {row.path!r} was read from stdin.",
                f"Remove it first: ragcli rm {row.path}; and pipe it in again afterwards.",
            )
    for root in ledger.roots():
        if not os.path.lexists(root):
            raise UsageError(
                f"The collection must be built anew, but {root} is missing.",
                f"Bring it back, or remove its documents: ragcli rm {root}",
            )
    return [*given, *map(Path, ledger.roots())]


def check_all_is_read(ledger: Ledger, found: Survey) -> None:
    """Raise UsageError where a document would be lost: known, still there or perhaps, and not to be read."""
    read = {item.path for item, _ in found.plan.read}
    for row in ledger.files():
        if row.state == "ready" and row.path not in read and under(row.path, found.kept):
            raise UsageError(
                f"The collection must be built anew, but this run would not read {row.path} again.",
                "Leave out --include and --exclude, and see that its folder is there and can be read; or"
                f" remove it: ragcli rm {row.path}",
            )


def empty(ledger: Ledger) -> None:
    """Take every document out of the collection; the roots stay known."""
    ledger.remove([row.id for row in ledger.files()])

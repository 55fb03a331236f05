"""The two sides of `--compare`: what is written there becomes a session of its own.

A side is one or more of these, joined by commas: a way to search (`hybrid`, `dense`, `lexical`,
`reranked`), a YAML file or shipped profile, `collection=NAME`, any setting as `section.key=value`,
or `current`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ragcli.cli.measuring import MODES, RERANKED
from ragcli.cli.profiles import find
from ragcli.cli.session import Session
from ragcli.errors import UsageError

CURRENT = "current"


def side(session: Session, text: str) -> Session:
    """The session that a side stands for, over what the command line says; raises UsageError."""
    common, cwd = session.common, session.cwd
    config, settings, collection, reranked = [], [], common.collection, False
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, value = part.partition("=")
        if part == CURRENT:
            continue
        if part in MODES:
            settings += [f"retrieval.mode={part}", "reranker.use=none"]
        elif part == RERANKED:
            reranked = True
        elif equals and name == "collection":
            collection = value
        elif equals and not (cwd / part).is_file():
            settings.append(part)
        elif (cwd / Path(part).expanduser()).is_file() or find(part) is not None:
            config.append(part)
        else:
            raise UsageError(
                f"--compare: {part!r} is no way to search, file, profile or setting.",
                "For example: --compare dense hybrid, or --compare current retrieval.dense_weight=0.3",
            )
    given = replace(
        common,
        collection=collection,
        config=[*(common.config or []), *config] or None,
        set=[*(common.set or []), *settings] or None,
    )
    other = session.beside(given)
    if reranked:
        other.choose_reranker(True)
    return other

"""`ragcli doctor`: what this installation can do, what is wrong with it, and --repair."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ragcli import __version__
from ragcli.cli.environment import tracing_variables
from ragcli.cli.examine import examine_llm, examine_reranker
from ragcli.cli.options import Common
from ragcli.cli.output import clean
from ragcli.cli.session import Session
from ragcli.errors import CollectionMissing, RagcliError

PACKAGES = ("langchain-classic", "langchain-core", "tantivy", "faiss-cpu", "onnxruntime", "torch")


class Finding(NamedTuple):
    """A line of the report: what was looked at, whether it is well, and what was seen."""

    part: str
    ok: bool
    detail: str


def doctor(
    common: Common,
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild the indexes from the ledger alone.")
    ] = False,
) -> None:
    """Check the installation, the model and the collection."""
    session = Session(common, os.environ, Path.cwd())
    findings = [
        *_installation(session),
        *_model(session),
        *_asked(session),
        *_collection(session, repair),
    ]
    if session.out.json:
        items = [finding._asdict() for finding in findings]
        session.out.record({"schema": "ragcli.doctor/1", "findings": items})
    else:
        width = max(len(finding.part) for finding in findings)
        for finding in findings:
            mark = "ok  " if finding.ok else session.out.bold("BAD ")
            session.out.data(f"{mark}{finding.part:<{width}}  {clean(finding.detail)}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _installation(session: Session) -> Iterator[Finding]:
    import platform
    import sqlite3
    from importlib.metadata import version

    system = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    yield Finding("ragcli", True, f"{__version__}, {system}, {platform.system()}")
    yield Finding("packages", True, ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    yield Finding("data", True, str(session.data_dir))
    yield Finding("cache", True, str(session.cache_dir))
    if tracing := tracing_variables():
        detail = f"{', '.join(tracing)} asks for tracing; ragcli keeps it off"
        yield Finding("tracing", True, detail)
    yield Finding(
        "network", True, f"hosts that this configuration would contact: {_hosts(session)}"
    )


def _hosts(session: Session) -> str:
    if session.settings.offline:
        return "none, --offline"
    models = [examine_reranker(session).host, examine_llm(session).host]
    hosts = filter(None, [_embedder_host(session), *models, _store_host(session)])
    return ", ".join(hosts) or "none"


def _store_host(session: Session) -> str | None:
    from urllib.parse import urlsplit

    from ragcli.config import plug_options
    from ragcli.registry import load
    from ragcli.stores import STORES

    choice = session.settings.store
    try:
        options = plug_options(load("store", STORES, choice.use), "store", choice)
    except RagcliError:
        return None
    url = getattr(options, "url", None) or getattr(options, "uri", None) or ""
    return urlsplit(url).hostname


def _embedder_host(session: Session) -> str | None:
    try:
        info = session.embedder_info
    except RagcliError:
        return "huggingface.co, to download the model"
    return info.host or (None if info.source != "hub" else "huggingface.co, to download the model")


def _asked(session: Session) -> Iterator[Finding]:
    for part, examined in (
        ("reranker", examine_reranker(session)),
        ("llm", examine_llm(session)),
    ):
        yield Finding(part, examined.ok, examined.detail)


def _model(session: Session) -> Iterator[Finding]:
    try:
        info = session.embedder_info
        embedder = session.embedder
    except RagcliError as error:
        yield Finding("embedder", False, f"{error.message} {error.fix}")
        return
    detail = f"{info.model} from {info.source}, {embedder.backend} on {embedder.device}"
    yield Finding(
        "embedder", True, f"{detail}, {info.dimension} dimensions, {info.max_tokens} tokens"
    )


def _collection(session: Session, repair: bool) -> Iterator[Finding]:
    try:
        with session.collection() as collection:
            if repair:
                for line in collection.repair():
                    yield Finding("repair", True, line)
            for part, state, detail in collection.health():
                yield Finding(part, state == "ok", detail)
    except CollectionMissing as error:
        yield Finding("collection", not repair, f"{error.message} {error.fix}")
    except RagcliError as error:
        yield Finding("collection", False, f"{error.message} {error.fix}")

"""`ragcli config`: what the settings are and why, every mistake at once, and the shipped profiles."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.cli.files import write_text
from ragcli.cli.options import Common, with_common
from ragcli.cli.session import Session
from ragcli.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from ragcli.config import Board

app = typer.Typer(
    help="Show, check and copy configuration.", no_args_is_help=True, rich_markup_mode=None
)


def boards() -> dict[str, Board]:
    """The plug boards behind the sections that choose a plug."""
    from ragcli.answer import ANSWERERS
    from ragcli.embedders import EMBEDDERS
    from ragcli.llms import LLMS
    from ragcli.rerankers import RERANKERS
    from ragcli.stores import STORES

    return {
        "embedder": ("embedder", EMBEDDERS),
        "store": ("store", STORES),
        "reranker": ("reranker", RERANKERS),
        "llm": ("llm", LLMS),
        "answer": ("answerer", ANSWERERS),
    }


def show(
    common: Common,
    section: Annotated[str | None, typer.Argument(help="Only this section or setting.")] = None,
) -> None:
    """Print every setting in effect, with where its value came from."""
    session = Session(common, os.environ, Path.cwd())
    rows = _rows(session)
    if section is not None:
        rows = [row for row in rows if row[0] == section or row[0].startswith(section + ".")]
    if not rows:
        raise UsageError(f"There is no setting called {section!r}.", "See: ragcli config show")
    if session.out.json:
        settings = {key: {"value": value, "origin": origin} for key, value, origin in rows}
        session.out.record({"schema": "ragcli.config/1", "settings": settings})
        return
    width = max(len(f"{key}: {_yaml(value)}") for key, value, _ in rows)
    for key, value, origin in rows:
        line = f"{key}: {_yaml(value)}"
        session.out.data(f"{line:<{min(width, 60)}}  {session.out.faint('# ' + origin)}")


def check(common: Common) -> None:
    """Name every mistake of the configuration at once; exit 2 when there is one."""
    from ragcli.config import check as problems_of

    session = Session(common, os.environ, Path.cwd())
    problems = problems_of(session.config.layers, boards())
    if session.out.json:
        items = [{"key": p.key, "message": p.message, "origin": p.origin} for p in problems]
        session.out.record({"schema": "ragcli.config-check/1", "problems": items})
    elif not problems:
        session.out.data("The configuration is valid.")
    if problems:
        if not session.out.json:
            for problem in problems:
                session.out.warn(str(problem))
        raise typer.Exit(2)


def list_profiles(common: Common) -> None:
    """List the shipped profiles, for --config NAME."""
    from ragcli.cli.profiles import profiles

    session = Session(common, os.environ, Path.cwd())
    found = profiles()
    if session.out.json:
        items = [{"name": p.name, "purpose": p.purpose, "path": str(p.path)} for p in found]
        session.out.record({"schema": "ragcli.profiles/1", "profiles": items})
        return
    for profile in found:
        session.out.data(f"{session.out.bold(profile.name):<24}  {profile.purpose}")


def copy(
    common: Common,
    name: Annotated[str, typer.Argument(help="Name of the profile.")],
    target: Annotated[Path | None, typer.Argument(help="File to write; by default stdout.")] = None,
) -> None:
    """Write a shipped profile to a file of your own, or to stdout."""
    from ragcli.cli.profiles import find

    session = Session(common, os.environ, Path.cwd())
    source = find(name)
    if source is None:
        raise ConfigError(
            f"There is no profile called {name!r}.", "List them with: ragcli config list"
        )
    text = source.read_text(encoding="utf-8")
    if target is None or str(target) == "-":
        sys.stdout.write(text)
        return
    if target.exists() and not common.yes:
        raise UsageError(
            f"{target} exists already.", "Choose another name, or overwrite it with --yes."
        )
    write_text(target, text)
    session.out.note(f"Wrote {target}.")


app.command("show")(with_common(show))
app.command("check")(with_common(check))
app.command("list")(with_common(list_profiles))
app.command("copy")(with_common(copy))


def _rows(session: Session) -> list[tuple[str, Any, str]]:
    from ragcli.config import plug_options
    from ragcli.registry import load

    loaded = session.config.loaded
    plugs = boards()
    rows: list[tuple[str, Any, str]] = []
    for name, value in loaded.settings:
        if name in plugs:
            module = load(*plugs[name], value.use)
            options = plug_options(module, name, value)
            items = {"use": value.use, **options.model_dump()}
        elif hasattr(value, "model_dump"):
            items = value.model_dump()
        else:
            rows.append((name, value, loaded.origins.get(name, "default")))
            continue
        rows += [
            (f"{name}.{key}", item, loaded.origins.get(f"{name}.{key}", "default"))
            for key, item in items.items()
        ]
    return rows


def _yaml(value: Any) -> str:
    import yaml

    style = '"' if isinstance(value, str) and "\n" in value else None
    dumped = yaml.safe_dump(value, default_flow_style=True, default_style=style, width=10_000)
    return str(dumped).split("\n")[0]

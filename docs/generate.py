"""Writes docs/configuration.md, docs/command-line.md and .env.example from the program itself.

python docs/generate.py          writes the pages
python docs/generate.py --check  exits 1 when a page is not what the program would write

A test runs the check, so the pages cannot drift.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
COMMANDS = [
    "ingest",
    "query",
    "search",
    "evaluate",
    "feedback",
    "finetune-embedder",
    "status",
    "list",
    "show",
    "rm",
    "sync",
    "config show",
    "config check",
    "config list",
    "config copy",
    "doctor",
]

CONFIGURATION = """# Configuration

Generated from the settings; `ragcli config show` prints the values in effect and where each came
from, `ragcli config check` names every mistake at once.

A value is taken from the first of these that sets it:

1. a flag, such as `--top-k 8`, or `--set retrieval.top_k=8` for any setting;
2. an environment variable `RAGCLI_SECTION__KEY`, such as `RAGCLI_RETRIEVAL__TOP_K=8`;
3. the files given with `--config` (later ones win), or else `ragcli.yaml` in the working directory;
4. the user's own file, `config.yaml` in the configuration directory (`~/.config/ragcli` on Linux);
5. the default below.

A `.env` file in the working directory, or beside a file given with `--config`, adds environment
variables and never overrides one that is set. Keys are named in the configuration by the name of
their variable, never written into it.
"""

COMMAND_LINE = """# The command line

Generated from the program's own help.

Data goes to stdout and nothing else does; progress, warnings and errors go to stderr. With `--json`
an error is one line of JSON on stderr. On failure stdout is empty.

| exit code | meaning |
|--:|---|
| 0 | done; answered |
| 1 | it failed: store, model, network, disk |
| 2 | usage or configuration: the message says what to type |
| 3 | the documents do not contain an answer; the nearest hits go to stderr |
| 4 | done in part: documents failed in `ingest`, or `--strict` or `--fail-under` was not met |
| 130 | interrupted; what was committed stays |
"""


def configuration() -> str:
    """The configuration page."""
    from ragcli.cli.commands.config import boards
    from ragcli.registry import load
    from ragcli.settings import Settings

    parts = [CONFIGURATION, "## Top level\n", _table(_plain(Settings, ""))]
    plugs = boards()
    for name, field in Settings.model_fields.items():
        if not hasattr(field.annotation, "model_fields"):
            continue
        parts += [f"## {name}\n", f"{field.annotation.__doc__}\n"]
        parts.append(_table(_plain(field.annotation, f"{name}.")))
        for plug in plugs.get(name, ("", {}))[1]:
            module = load(*plugs[name], plug)
            parts.append(f"With `{name}.use: {plug}`:\n")
            parts.append(_table(_plain(module.Options, f"{name}.")))
    return "\n".join(parts)


def command_line() -> str:
    """The command line page."""
    parts = [COMMAND_LINE]
    for name in ["", *COMMANDS]:
        title = f"ragcli {name}".strip()
        parts.append(f"## {title}\n\n```text\n{_help(name.split())}\n```\n")
    return "\n".join(parts)


def _plain(model: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if not hasattr(field.annotation, "model_fields"):
            default = "required" if field.is_required() else _shown(field.default)
            yield f"{prefix}{name}", default, field.description or ""


def _shown(default: Any) -> str:
    if default is None:
        return ""
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return "`" + text.replace("\n", "\\n") + "`"


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {default} | {text} |".replace("|  |", "| |") for name, default, text in rows
    ]
    return "\n".join(lines) + "\n"


def _help(words: list[str]) -> str:
    environ = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-m", "ragcli", *words, "--help"]
    child = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return "\n".join(line.rstrip() for line in child.stdout.strip().split("\n"))


def env_example() -> str:
    """The example of a file `.env`."""
    from ragcli.cli.variables import env_example

    return env_example()


PAGES = {
    "configuration.md": configuration,
    "command-line.md": command_line,
    "../.env.example": env_example,
}


def main() -> int:
    """Write or check the pages."""
    stale = []
    for name, make in PAGES.items():
        page, text = (FOLDER / name).resolve(), make().rstrip() + "\n"
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
        elif not page.is_file() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"Run python docs/generate.py: {', '.join(stale)} differ from the program.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

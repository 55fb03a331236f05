"""Makes a configuration file name a model, line by line so that its comments stay, and takes it back.

Refuses rather than guesses: the file is read again afterwards and must say what it said before,
but for the one key.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragcli.embedders.files import write_atomic
from ragcli.errors import ConfigError, UsageError

SECTION = "embedder"
HISTORY = "pointed.jsonl"
_TOP = re.compile(r"^(?P<name>[A-Za-z_][\w-]*)\s*:\s*(#.*)?$")


def point(config: Path, values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Set these keys of `embedder` in the file, or take them out, at once; what they were before.

    Raises ConfigError where the file is written in a way that is not changed by itself.
    """
    text, before = _planned(config, values)
    write_atomic(config, text.encode())
    return before


def refuse(config: Path, values: Mapping[str, str | None]) -> None:
    """Raise ConfigError where `point` would fail, and change nothing."""
    try:
        _planned(config, values)
    except ConfigError as error:
        fix = (
            f"Write {SECTION} there with one setting in a line, or name another file with --config."
        )
        raise ConfigError(error.message, fix) from error
    folder = next(part for part in config.parents if part.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise ConfigError(
            f"{config}, which is to name the result, cannot be written.",
            "Make its folder writable, or name another file with --config.",
        )


def _planned(config: Path, values: Mapping[str, str | None]) -> tuple[str, dict[str, str | None]]:
    """The text of the file with all of these set, and what they were."""
    text = _text(config)
    before: dict[str, str | None] = {}
    for key, value in values.items():
        text, before[key] = _changed(config, text, key, value)
    return text, before


def _text(config: Path) -> str:
    return config.read_text(encoding="utf-8") if config.is_file() else ""


def _changed(config: Path, text: str, key: str, value: str | None) -> tuple[str, str | None]:
    """The text with one key changed, and what it was."""
    import yaml

    before = yaml.safe_load(text) or {}
    section = before.get(SECTION) or {}
    if not isinstance(section, dict):
        raise _unchangeable(config, key, value)
    wanted: dict[str, Any] = {**section}
    known = wanted.pop(key, None)
    if value is not None:
        wanted[key] = value
    changed = _edited(text, key, value)
    try:
        after = yaml.safe_load(changed) or {}
    except yaml.YAMLError as error:
        raise _unchangeable(config, key, value) from error
    rest = {name: part for name, part in before.items() if name != SECTION}
    if {name: part for name, part in after.items() if name != SECTION} != rest or (
        after.get(SECTION) or {}
    ) != wanted:
        raise _unchangeable(config, key, value)
    return changed, None if known is None else str(known)


def point_all(folder: Path, config: Path, values: Mapping[str, str | None]) -> None:
    """Set these keys, and note in `folder` what they were, so that it can be taken back."""
    before = point(config, values)
    changes = [
        {"key": key, "before": before[key], "after": value}
        for key, value in values.items()
        if before[key] is not None or value is not None
    ]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    entry = {"config": os.path.relpath(config, folder), "changes": changes}
    with (folder / HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def roll_back(folder: Path) -> dict[str, Any]:
    """Take the last `point_all` back; what it was. Raises UsageError where there is none, or where
    the file says something else by now.
    """
    history = folder / HISTORY
    lines = history.read_text(encoding="utf-8").splitlines() if history.is_file() else []
    if not lines:
        raise UsageError("There is no tuned embedder to go back from.")
    entry: dict[str, Any] = json.loads(lines[-1])
    config = Path(os.path.normpath(folder / entry["config"]))
    for change in entry["changes"]:
        _, now = _changed(config, _text(config), change["key"], None)
        if now != change["after"]:
            raise UsageError(
                f"{config} was changed since: {SECTION}.{change['key']} is {now or 'not set'} there.",
                f"Set it to what you want; before, it was {change['before'] or 'not set'}.",
            )
    point(config, {change["key"]: change["before"] for change in entry["changes"]})
    write_atomic(history, "".join(f"{line}\n" for line in lines[:-1]).encode())
    return {**entry, "config": str(config)}


def _edited(text: str, key: str, value: str | None) -> str:
    lines = text.splitlines()
    start = next(
        (at for at, line in enumerate(lines) if (m := _TOP.match(line)) and m["name"] == SECTION),
        None,
    )
    said = None if value is None else f"  {key}: {json.dumps(value, ensure_ascii=False)}"
    if start is None:
        return "\n".join([*lines, *([f"{SECTION}:", said] if said else [])]) + "\n"
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " \t#"):
        end += 1
    at = next(
        (n for n in range(start + 1, end) if re.match(rf"\s+{re.escape(key)}\s*:", lines[n])), None
    )
    if at is not None:
        indent = re.match(r"\s*", lines[at])
        lines[at : at + 1] = [(indent[0] if indent else "  ") + said.strip()] if said else []
    elif said:
        first = next((line for line in lines[start + 1 : end] if line.strip()), said)
        indent = re.match(r"\s*", first)
        lines.insert(start + 1, (indent[0] if indent else "  ") + said.strip())
    if not any(line.strip() and line[0] in " \t" for line in lines[start + 1 : end]):
        lines[start : start + 1] = []
    return "\n".join(lines) + "\n" if lines else ""


def _unchangeable(config: Path, key: str, value: str | None) -> ConfigError:
    return ConfigError(
        f"{config} is written in a way that is not changed by itself.",
        f"Set {SECTION}.{key} to {value!r} there." if value else f"Take {SECTION}.{key} out there.",
    )

"""Layers become valid settings, or every mistake in them; each value remembers where it came from.

Later layers win: default < user file < project file or `--config` < environment < flag.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ragcli.errors import ConfigError
from ragcli.layers import ENV_PREFIX, VARIABLE, Layer, dotted_keys, merge
from ragcli.registry import Plug, load
from ragcli.settings import Choice, Settings

Board = tuple[str, Mapping[str, Plug]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration: the key, what is wrong, where it stands."""

    key: str
    message: str
    origin: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message} ({self.origin})"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Valid settings and the origin of each value that is not a default."""

    settings: Settings
    origins: Mapping[str, str]


def check(layers: Iterable[Layer], boards: Mapping[str, Board] | None = None) -> list[Problem]:
    """Every mistake at once, each with its origin; with `boards`, options of plugs as well."""
    from pydantic import ValidationError

    values, origins = merge(layers)
    problems: list[Problem] = []
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems = [_problem(item, "", origins, Settings) for item in error.errors()]
        settings = _valid_part(values, [item["loc"] for item in error.errors()])
    for section, board in (boards or {}).items():
        problems += _check_choice(section, getattr(settings, section), board, origins)
    return problems


def _valid_part(values: dict[str, Any], wrong: Iterable[tuple[int | str, ...]]) -> Settings:
    """The settings without what is wrong in them, so that the rest can be looked at too."""
    kept = copy.deepcopy(values)
    for place in wrong:
        holder: Any = kept
        for key in place[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(place[-1], None)
        else:
            kept.pop(str(place[0]), None)
    return Settings.model_validate(kept)


def resolve(layers: Iterable[Layer]) -> Loaded:
    """Settings of these layers; raises ConfigError that lists every mistake."""
    layers = list(layers)
    problems = check(layers)
    if problems:
        raise ConfigError(
            _sentence(str(problem) for problem in problems),
            "Correct it, then run: ragcli config check",
        )
    values, origins = merge(layers)
    return Loaded(Settings.model_validate(values), origins)


def plug_options(module: Any, section: str, choice: Choice) -> Any:
    """The plug's own validated `Options`; raises ConfigError that lists every mistake."""
    from pydantic import ValidationError

    try:
        return module.Options.model_validate(choice.options)
    except ValidationError as error:
        problems = [_problem(item, section, {}, module.Options) for item in error.errors()]
        raise ConfigError(
            _sentence(f"{problem.key}: {problem.message}" for problem in problems),
            f"See: ragcli config show {section}",
        ) from error


def _check_choice(
    section: str, choice: Choice, board: Board, origins: Mapping[str, str]
) -> list[Problem]:
    from pydantic import ValidationError

    try:
        module = load(board[0], board[1], choice.use)
        module.Options.model_validate(choice.options)
    except ConfigError as error:
        origin = origins.get(f"{section}.use", "default")
        return [Problem(f"{section}.use", f"{error.message} {error.fix}".rstrip("."), origin)]
    except ValidationError as error:
        return [_problem(item, section, origins, module.Options) for item in error.errors()]
    return []


def _sentence(problems: Iterable[str]) -> str:
    joined = "; ".join(problems)
    return joined if joined.endswith("?") else f"{joined}."


def _problem(item: Any, section: str, origins: Mapping[str, str], model: Any) -> Problem:
    path = [str(part) for part in item["loc"]]
    key = ".".join([section, *path] if section else path)
    origin = next((origins[k] for k in origins if k == key or k.startswith(key + ".")), "default")
    if item["type"] == "extra_forbidden":
        names = _names(model, path[:-1]) + (dotted_keys() if key == path[-1] else [])
        near = difflib.get_close_matches(path[-1], names, n=1)
        meant = repr(near[0]) if near else ""
        if near and origin.startswith(VARIABLE):
            parts = [*key.split(".")[:-1], *near[0].split(".")]
            meant = ENV_PREFIX + "__".join(parts).upper()
        hint = f"; did you mean {meant}?" if near else ""
        return Problem(key, f"there is no such setting{hint}", origin)
    if item["type"] == "value_error":
        return Problem(key, str(item["ctx"]["error"]), origin)
    message = item["msg"][0].lower() + item["msg"][1:]
    given = item.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    return Problem(key, message + shown, origin)


def _names(model: Any, path: list[str]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        if field is None or not hasattr(field.annotation, "model_fields"):
            return []
        model = field.annotation
    return list(model.model_fields)

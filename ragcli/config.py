"""Files, environment and flags become settings, and each value remembers where it came from.

Nothing here reads the process environment or looks for files by itself: the caller hands both in.
Later layers win: default < user file < project file or `--config` < environment < flag.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.errors import ConfigError
from ragcli.registry import Plug, load
from ragcli.settings import Choice, Section, Settings

ENV_PREFIX = "RAGCLI_"
VARIABLE = "environment variable"
WITH_MODEL = ("embedder", "reranker", "llm")
"""Sections each plug of which has a key `model`."""
Board = tuple[str, Mapping[str, Plug]]


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place: dotted keys such as `retrieval.top_k`, and the name of the place."""

    origin: str
    values: Mapping[str, Any]


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


def file_layer(path: Path) -> Layer:
    """Read one YAML file; raises ConfigError with the line of a syntax error."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.", "Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f"{path}:{place.line + 1}" if place else str(path)
        reason = getattr(error, "problem", None) or "it is not UTF-8 text"
        raise ConfigError(f"{where} is not valid YAML: {reason}.", "Correct the file.") from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path} must hold `section:` blocks, not a list or a single value.",
            "See a profile for an example: ragcli config copy default",
        )
    return Layer(str(path), dict(_flatten(content)))


def environment_layers(env: Mapping[str, str]) -> list[Layer]:
    """Layers from variables `RAGCLI_SECTION__KEY`, and `RAGCLI_KEY` for a key without a section.

    One with a single underscore for the two is taken along too, as the mistake that it is.
    """
    known = {name for name, kind in _fields().items() if kind is None}
    known |= {key.replace(".", "_") for key in _dotted()}
    layers = []
    for name in sorted(env):
        key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
        if name.startswith(ENV_PREFIX) and ("." in key or key in known):
            layers.append(Layer(f"{VARIABLE} {name}", {key: _scalar(env[name])}))
    return layers


def flag_layer(pairs: Iterable[str]) -> Layer:
    """Read `section.key=value` pairs as `--set` takes them; values are YAML."""
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ConfigError(
                f"--set {pair!r} is not KEY=VALUE.", "For example: --set retrieval.top_k=8"
            )
        values[key.strip()] = _scalar(value)
    return Layer("--set", values)


def merge(layers: Iterable[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """Lay the layers over one another: nested values, and the origin of each dotted key.

    Where a later layer chooses another plug (`use`), the earlier plug's own options go: they
    would be unknown to it.
    """
    flat: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            section, _, name = key.rpartition(".")
            if name == "use" and flat.get(key, value) != value:
                for other in [k for k in flat if k.startswith(section + ".")]:
                    del flat[other], origins[other]
        flat.update(layer.values)
        origins.update(dict.fromkeys(layer.values, layer.origin))
    return _nest(flat), origins


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
        names = _names(model, path[:-1]) + (_dotted() if key == path[-1] else [])
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


def _fields() -> dict[str, type[Section] | None]:
    """The top-level settings: a section's class, or None for a plain value."""
    return {
        name: field.annotation if hasattr(field.annotation, "model_fields") else None  # type: ignore[misc]
        for name, field in Settings.model_fields.items()
    }


def _dotted() -> list[str]:
    """The keys of all sections that do not depend on a plug, and those of models."""
    return [
        f"{section}.{key}"
        for section, kind in _fields().items()
        if kind is not None
        for key in (*kind.model_fields, *(["model"] if section in WITH_MODEL else []))
    ]


def _scalar(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _flatten(content: Mapping[Any, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and not prefix:
            yield from _flatten(value, f"{name}.")
        elif not (value is None and not prefix):
            yield name, value


def _nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        section, dot, name = key.partition(".")
        if dot and isinstance(nested.setdefault(section, {}), dict):
            nested[section][name] = value
        else:
            nested[key] = value
    return nested

"""Where settings come from: files, variables and flags as layers, laid over one another.

Nothing here reads the process environment or looks for files by itself: the caller hands both in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcli.errors import ConfigError
from ragcli.settings import Section, Settings

ENV_PREFIX = "RAGCLI_"
VARIABLE = "environment variable"
WITH_MODEL = ("embedder", "reranker", "llm")
"""Sections each plug of which has a key `model`."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place: dotted keys such as `retrieval.top_k`, and the name of the place."""

    origin: str
    values: Mapping[str, Any]


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
    known |= {key.replace(".", "_") for key in dotted_keys()}
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


def dotted_keys() -> list[str]:
    """The keys (`section.key`) of all sections that do not depend on a plug, and those of models."""
    return [
        f"{section}.{key}"
        for section, kind in _fields().items()
        if kind is not None
        for key in (*kind.model_fields, *(["model"] if section in WITH_MODEL else []))
    ]


def _fields() -> dict[str, type[Section] | None]:
    """The top-level settings: a section's class, or None for a plain value."""
    return {
        name: field.annotation if hasattr(field.annotation, "model_fields") else None  # type: ignore[misc]
        for name, field in Settings.model_fields.items()
    }


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

"""The configuration profiles that ship with the program: found by name, listed, copied out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# A wheel carries the profiles inside the package, a checkout has them beside it.
_FOLDERS = (_PACKAGE / "configs", _PACKAGE.parent / "configs")


@dataclass(frozen=True, slots=True)
class Profile:
    """A shipped configuration file; `purpose` is its opening comment line."""

    name: str
    path: Path
    purpose: str


def profiles() -> list[Profile]:
    """Every shipped profile, by name."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    if folder is None:
        return []
    return [Profile(path.stem, path, _purpose(path)) for path in sorted(folder.glob("*.yaml"))]


def find(name: str) -> Path | None:
    """The file of the profile called `name`, with or without its suffix or folder."""
    stem = Path(name).name.removesuffix(".yaml")
    return next((profile.path for profile in profiles() if profile.name == stem), None)


def _purpose(path: Path) -> str:
    first, *_ = path.read_text(encoding="utf-8").split("\n", 1)
    return first.removeprefix("#").strip()

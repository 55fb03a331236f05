"""The files, variables and flags that a run is configured by, and the settings they come to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.environment import forbid_network, with_dotenv
from ragcli.cli.options import Common
from ragcli.errors import ConfigError

if TYPE_CHECKING:
    from ragcli.config import Loaded
    from ragcli.layers import Layer
    from ragcli.settings import Settings

PROJECT_FILE = "ragcli.yaml"


class Configuration:
    """What `common` names, read once it is asked for; `environ` holds what `.env` adds too."""

    def __init__(self, common: Common, environ: Mapping[str, str], cwd: Path) -> None:
        self._common = common
        self._cwd = cwd
        self._extra: dict[str, Any] = {}
        self.environ = with_dotenv(environ, self._folders())

    def override(self, **values: Any) -> None:
        """Add what a command's own flags set: keys with `__` for the dot; None means not set."""
        given = {
            key.replace("__", "."): value for key, value in values.items() if value is not None
        }
        self._extra = {**self._extra, **given}
        for known in ("layers", "loaded", "data_dir"):
            self.__dict__.pop(known, None)

    def with_common(self, common: Common) -> Configuration:
        """The same with other common options."""
        other = Configuration(common, self.environ, self._cwd)
        other._extra = dict(self._extra)
        return other

    @cached_property
    def layers(self) -> list[Layer]:
        """Configuration in rising precedence."""
        from ragcli.layers import Layer, environment_layers, file_layer, flag_layer

        files = [path for path in self._files() if path.is_file()]
        flags = {
            key: value
            for key, value in (
                ("collection", self._common.collection),
                ("data_dir", str(self._common.data_dir) if self._common.data_dir else None),
                ("offline", True if self._common.offline else None),
            )
            if value is not None
        }
        return [
            *map(file_layer, files),
            *environment_layers(self.environ),
            flag_layer(self._common.set or []),
            Layer("flag", {**flags, **self._extra}),
        ]

    @cached_property
    def loaded(self) -> Loaded:
        """Valid settings with their origins; goes offline when they say so."""
        from ragcli.config import resolve

        loaded = resolve(self.layers)
        if loaded.settings.offline:
            forbid_network()
        return loaded

    @property
    def settings(self) -> Settings:
        """Valid settings of this run."""
        return self.loaded.settings

    @cached_property
    def data_dir(self) -> Path:
        """The folder of the collections: as set, else the nearest .ragcli/, else the user's."""
        if self.settings.data_dir:
            return (self._cwd / Path(self.settings.data_dir).expanduser()).absolute()
        for folder in (self._cwd, *self._cwd.parents):
            if (folder / ".ragcli").is_dir():
                return folder / ".ragcli"
        from platformdirs import user_data_path

        return user_data_path("ragcli", appauthor=False)

    @property
    def own_file(self) -> Path:
        """The file that a command writes a setting to: the one named last, the project's, the user's."""
        if self._common.config:
            path = self._cwd / Path(self._common.config[-1]).expanduser()
            if path.is_file():
                return path
            raise ConfigError(
                f"The profile {self._common.config[-1]!r} is not a file of yours to change.",
                f"Copy it out with: ragcli config copy {self._common.config[-1]}",
            )
        if self.project_file.is_file() or (self._cwd / ".ragcli").is_dir():
            return self.project_file
        return _user_file()

    @property
    def project_file(self) -> Path:
        """The file that is read in this folder unless others are named."""
        return self._cwd / PROJECT_FILE

    def _files(self) -> list[Path]:
        if self._common.config:
            return [_user_file(), *map(self._named, self._common.config)]
        return [_user_file(), self.project_file]

    def _named(self, name: str) -> Path:
        from ragcli.cli.profiles import find

        path = self._cwd / Path(name).expanduser()
        if path.is_file():
            return path
        if (profile := find(name)) is not None:
            return profile
        raise ConfigError(
            f"There is no configuration file or profile called {name!r}.",
            "List the profiles with: ragcli config list",
        )

    def _folders(self) -> list[Path]:
        named = [self._cwd / Path(name).expanduser() for name in self._common.config or []]
        return [self._cwd, *(path.parent for path in named if path.is_file())]


def _user_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("ragcli", appauthor=False) / "config.yaml"

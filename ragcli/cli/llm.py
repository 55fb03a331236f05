"""The language model of a run: what the configuration chose, begun early, loaded once, let go at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.environment import silence_logs
from ragcli.cli.output import Output

if TYPE_CHECKING:
    from ragcli.llms import Resources
    from ragcli.llms.llm import Begun, Llm
    from ragcli.settings import Settings


class ChosenLlm:
    """Loads nothing before it is asked to."""

    def __init__(
        self, settings: Settings, cache_dir: Path, keys: Mapping[str, str], out: Output
    ) -> None:
        self._settings = settings
        self._cache_dir = cache_dir
        self._keys = keys
        self._out = out
        self._tell: Callable[[str], None] = out.detail
        self._begun: Begun | None = None

    @property
    def name(self) -> str | None:
        """`plug:model` of the model that would write answers; None where they are quotes."""
        choice = self._settings.llm
        if choice.use == "none" or self._settings.answer.use == "quote":
            return None
        return f"{choice.use}:{choice.options.get('model', '')}".rstrip(":")

    @cached_property
    def plug(self) -> Any:
        """The module of the plug."""
        from ragcli.llms import LLMS
        from ragcli.registry import load

        return load("llm", LLMS, self._settings.llm.use)

    @property
    def options(self) -> Any:
        """The options of the plug; raises ConfigError."""
        from ragcli.config import plug_options

        return plug_options(self.plug, "llm", self._settings.llm)

    @property
    def resources(self) -> Resources:
        """What the plug is given beside its options: the keys include those of `.env`."""
        from ragcli.llms import Resources

        return Resources(
            self._cache_dir, self._settings.offline, self._keys, lambda text: self._tell(text)
        )

    def begin(self) -> None:
        """Let a model on this machine load while hits are looked for; for others there is nothing to do.

        Raises what is wrong with the choice already.
        """
        if self.name is None or self._begun is not None or "ready" in self.__dict__:
            return
        if hasattr(self.plug, "begin"):
            self._begun = self.plug.begin(self.options, self.resources)

    @cached_property
    def ready(self) -> Llm:
        """The model, ready to be asked; waits for one that was begun."""
        from ragcli.cli.progress import TerminalProgress

        silence_logs()
        begun, self._begun = self._begun, None
        with TerminalProgress(self._out) as progress:
            progress.phase(f"Loading {self.name}", None)
            self._tell = progress.message
            llm: Llm = begun.wait() if begun else self.plug.build(self.options, self.resources)
        # A hosted model has something to say later: that it waits.
        self._tell = self._out.note
        return llm

    def close(self) -> None:
        """Let go of the model, if it was loaded or begun."""
        if self._begun is not None:
            self._begun.close()
            self._begun = None
        if "ready" in self.__dict__:
            self.ready.close()
            del self.ready

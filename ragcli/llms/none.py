"""The plug that stands for no language model at all: answers are quotes."""

from __future__ import annotations

from typing import NoReturn

from pydantic import BaseModel, ConfigDict

from ragcli.errors import ConfigError
from ragcli.llms.resources import Resources


class Options(BaseModel):
    """There is nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def build(options: Options, resources: Resources) -> NoReturn:
    """Raises ConfigError: there is nothing to ask."""
    raise ConfigError(
        "No language model is configured.", "Choose one with --llm PROVIDER:MODEL, or set llm.use."
    )

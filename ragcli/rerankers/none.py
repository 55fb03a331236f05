"""The plug that stands for no reranker at all: hits stay as they were fused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel, ConfigDict

from ragcli.errors import ConfigError


class Options(BaseModel):
    """There is nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def build(
    options: Options,
    cache: Path,
    offline: bool,
    *,
    keys: Mapping[str, str],
    on_progress: Callable[[str], None],
) -> NoReturn:
    """Raises ConfigError: there is nothing to ask."""
    raise ConfigError("No reranker is configured.", "Say --rerank, or set reranker.use.")

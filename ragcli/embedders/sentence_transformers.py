"""The plug for sentence-transformers models: finds one, describes it, and serves it.

It runs on ONNX Runtime without torch in the process, or on torch in a child process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragcli.embedders.card import Card, read_card
from ragcli.embedders.digests import file_digest
from ragcli.embedders.info import EmbedderInfo
from ragcli.embedders.lineage import own_adapter, read_adapter, tuned_from
from ragcli.embedders.locate import Located, full_name, locate
from ragcli.errors import ConfigError
from ragcli.settings import Embedder

if TYPE_CHECKING:
    from ragcli.embedders.embedder import SentenceEmbedder

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
FINGERPRINT_VERSION = 1
VOLATILE = {"_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"}
"""Keys of config.json that change when a model is saved again and change no vector."""


class Options(BaseModel):
    """The keys of the section `embedder` that belong to this plug."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        DEFAULT_MODEL, description="Model of the Hub, or the path of a folder (./x)."
    )
    revision: str | None = Field(None, description="Branch, tag or commit of a model of the Hub.")
    backend: Literal["auto", "onnx", "torch"] = Field(
        "auto", description="`auto` is torch where there is a CUDA GPU, else ONNX Runtime."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where torch computes.")
    precision: Literal["int8", "fp32"] = Field(
        "int8", description="`int8` is the fast one: int8 on a processor, float16 on a GPU."
    )
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads; by default one per physical core."
    )
    batch_tokens: int = Field(
        512, ge=16, description="Most tokens in one batch of texts of the same length."
    )
    query_adapter: str | None = Field(
        None, description="Folder of a map for questions, as finetune-embedder leaves it."
    )
    document_prompt: str | None = Field(
        None, description="Text in front of what is stored; by default what the model asks for."
    )
    query_prompt: str | None = Field(
        None, description="Text in front of a question; by default what the model asks for."
    )


def parse_options(choice: Embedder) -> Options:
    """The options of the plug; raises ConfigError that names the key that is wrong."""
    try:
        return Options.model_validate(choice.options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(["embedder", *(str(part) for part in first["loc"])])
        raise ConfigError(
            f"{key}: {first['msg']}.", f"Known keys: {', '.join(Options.model_fields)}."
        ) from error


def describe(choice: Embedder, cache: Path, offline: bool) -> EmbedderInfo:
    """What the chosen model is; finds it, reads its configuration, loads nothing."""
    options = parse_options(choice)
    card, located = _find(options, cache, offline)
    return _info(card, located, options, cache)


def build(
    choice: Embedder,
    cache: Path,
    offline: bool,
    *,
    on_progress: Callable[[str], None],
    keys: Mapping[str, str] | None = None,
) -> SentenceEmbedder:
    """The chosen model, ready to embed; converts it first where that was not done before."""
    from ragcli.embedders.backend import start
    from ragcli.embedders.embedder import SentenceEmbedder

    options = parse_options(choice)
    card, located = _find(options, cache, offline)
    info = _info(card, located, options, cache)
    encoder = start(card, info.fingerprint, options, cache, on_progress)
    folder = options.query_adapter
    adapter = own_adapter(info) if folder is None else read_adapter(Path(folder), info)
    return SentenceEmbedder(info, encoder, adapter)


def _find(options: Options, cache: Path, offline: bool) -> tuple[Card, Located]:
    model = full_name(options.model)
    located = locate(model, options.revision, cache, offline)
    return read_card(model, located.folder), located


def _info(card: Card, located: Located, options: Options, cache: Path) -> EmbedderInfo:
    document = options.document_prompt
    query = options.query_prompt
    document = card.document_prompt if document is None else document
    return EmbedderInfo(
        model=card.model,
        fingerprint=_fingerprint(card, document, cache),
        dimension=card.dimension,
        max_tokens=card.max_tokens,
        tokenizer=card.tokenizer,
        folder=card.folder,
        source=located.source,
        document_prompt=document,
        query_prompt=card.query_prompt if query is None else query,
        prompt_tokens=_count(card, document),
        tuned_from=tuned_from(card.folder),
    )


def _fingerprint(card: Card, document_prompt: str, cache: Path) -> str:
    """Over content, not names: the same model found elsewhere, or saved again, is the same.

    Precision and device stay out: they move a vector by less than the check at conversion allows.
    """
    dense = [step.folder / "model.safetensors" for step in card.steps if step.kind == "dense"]
    facts = {
        "version": FINGERPRINT_VERSION,
        "weights": [file_digest(path, cache) for path in card.weights],
        "config": {key: value for key, value in card.config.items() if key not in VOLATILE},
        "tokenizer": file_digest(card.tokenizer, cache),
        "pooling": card.pooling,
        "steps": _steps(card),
        "dense": [file_digest(path, cache) for path in dense],
        "normalized": True,
        "max_tokens": card.max_tokens,
        "lower_case": card.lower_case,
        "document_prompt": document_prompt,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _steps(card: Card) -> list[str]:
    """What follows the pooling, less the last normalisation, which every model gets here."""
    kinds = [step.kind for step in card.steps]
    while kinds and kinds[-1] == "normalize":
        kinds.pop()
    return kinds


def _count(card: Card, prompt: str) -> int:
    if not prompt:
        return 0
    from ragcli.embedders.tokens import open_tokenizer

    tokenizer = open_tokenizer(card)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return len(tokenizer.encode(prompt, add_special_tokens=False).ids)

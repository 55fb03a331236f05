"""The plug for models that run on this machine: LangChain's HuggingFacePipeline, in a child process.

It finds the model, checks what can be checked without loading it, and starts the child. torch and
transformers are never imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError, ModelError
from ragcli.llms.huggingface_card import Card, read_adapter, read_card
from ragcli.llms.huggingface_find import Whereabouts, find, seek
from ragcli.llms.resources import Resources
from ragcli.models.cores import physical_cores
from ragcli.models.gpu import gpu_trouble

if TYPE_CHECKING:
    from ragcli.llms.huggingface_session import Session
    from ragcli.llms.llm import Begun, Llm

MARGIN = 8
"""Tokens that texts may have more when they stand together than when they are counted alone."""


class Options(BaseModel):
    """The keys of the section `llm` that belong to this plug."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="Model of the Hub (owner/name), or the path of a folder (./x).")
    revision: str | None = Field(None, description="Branch, tag or commit of a model of the Hub.")
    adapter: str | None = Field(
        None, description="Folder of a LoRA adapter for the model (extra `lora`)."
    )
    quantization: Literal["none", "4bit", "8bit", "int8-cpu"] = Field(
        "none",
        description="`4bit` is NF4 with double quantization, `8bit` LLM.int8 (both by bitsandbytes);"
        " `int8-cpu` is dynamic int8 on a processor.",
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="`auto` is every CUDA GPU where there is one, else the processor; or `cpu`,"
        " `cuda`, `cuda:0`, `mps`.",
    )
    device_map: Literal["auto", "balanced", "balanced_low_0", "sequential"] | None = Field(
        None,
        description="How accelerate spreads the model over GPUs, and over the processor where they"
        " are too small; by default over the GPUs alone.",
    )
    max_memory: dict[int | str, str] | None = Field(
        None,
        description="Most memory for the weights on each device, with device_map:"
        " `{0: 20GiB, cpu: 30GiB}`.",
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        "auto",
        description="What is computed in; `auto` is bfloat16 where the hardware has it, else"
        " float16 on a GPU and float32 on a processor.",
    )
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads; by default one per physical core."
    )
    spin: bool = Field(
        False,
        description="Let threads spin while they wait for each other: faster on a machine that does"
        " nothing else, many times slower on one that does.",
    )
    window: int | None = Field(
        None,
        ge=64,
        description="Most tokens of a prompt and its answer; by default what the model's own"
        " configuration says.",
    )
    max_new_tokens: int = Field(512, ge=1, description="Most tokens of an answer.")
    temperature: float = Field(
        0.0, ge=0, le=10, description="0 always takes the likeliest token; above, tokens are drawn."
    )
    top_p: float = Field(
        1.0, gt=0, le=1, description="Share of the likelihood that tokens are drawn from."
    )
    top_k: int | None = Field(
        None, ge=1, description="Number of likeliest tokens that are drawn from."
    )
    repetition_penalty: float = Field(
        1.0, gt=0, le=10, description="Above 1, tokens that were there already get less likely."
    )
    seed: int | None = Field(None, ge=0, description="Makes drawing repeatable.")
    stop: tuple[str, ...] = Field(
        (), description="Texts that end the answer; they are not part of it."
    )


def describe(options: Options, resources: Resources) -> Whereabouts:
    """Where the model lies or would come from; loads, fetches and starts nothing.

    Raises ConfigError for options that exclude each other, ModelError for a model or an adapter
    that cannot be used, NetworkError for a model that is not here and must not be fetched.
    """
    _check(options)
    place = seek(options.model, options.revision, resources.offline)
    if place.folder is not None:
        _read(options, place)
    return place


def build(options: Options, resources: Resources) -> Llm:
    """The model, loaded in a child and ready to be asked; fetches it first where it is not here.

    Raises what `describe` raises, and ModelError when it cannot be loaded or its device is absent.
    """
    _check(options)
    return _start(options, find(options.model, options.revision, resources), resources).wait()


def begin(options: Options, resources: Resources) -> Begun | None:
    """Start loading the model; None where it has to be fetched first. Raises what `build` raises."""
    _check(options)
    place = seek(options.model, options.revision, resources.offline)
    return None if place.folder is None else _start(options, place, resources)


def _start(options: Options, place: Whereabouts, resources: Resources) -> Begun:
    from ragcli.llms.huggingface_session import Session
    from ragcli.llms.llm import Begun

    device = _device(options)
    card = _read(options, place)
    window = _window(options, card)
    session = Session(options.model, _order(options, card, device, window), resources.on_progress)
    return Begun(lambda: _ready(options, card, window, session), session.close)


def _ready(options: Options, card: Card, window: int, session: Session) -> Llm:
    from ragcli.llms.huggingface_chat import PipelineChat
    from ragcli.llms.huggingface_count import counter
    from ragcli.llms.llm import Llm

    count = counter(card)
    session.wait()
    return Llm(
        name=f"huggingface:{options.model}",
        model=PipelineChat(session=session),
        window=window - session.overhead - MARGIN,
        max_new_tokens=options.max_new_tokens,
        count=count,
        exact=True,
        close=session.close,
    )


def _check(options: Options) -> None:
    """Refuse what excludes each other."""
    gpu = options.device not in ("auto", "cpu")
    if options.quantization == "int8-cpu" and (gpu or options.device_map):
        raise ConfigError(
            "llm.quantization int8-cpu runs on a processor alone.",
            "Set llm.device to cpu, or llm.quantization to 8bit.",
        )
    if options.quantization in ("4bit", "8bit") and options.device == "mps":
        raise ConfigError(
            f"llm.quantization {options.quantization} does not run on mps.",
            "Set llm.quantization to none, or llm.device to cpu.",
        )
    if options.device_map and options.device not in ("auto", "cuda"):
        raise ConfigError(
            f"llm.device_map spreads a model over GPUs, but llm.device is {options.device}.",
            "Set llm.device to auto.",
        )
    if options.max_memory and not options.device_map:
        raise ConfigError(
            "llm.max_memory has no meaning without llm.device_map.", "Set llm.device_map to auto."
        )


def _device(options: Options) -> str:
    """`cpu`, `mps`, `cuda` or `cuda:N`; never another than the one that was asked for."""
    if options.quantization == "int8-cpu" or options.device in ("cpu", "mps"):
        return "cpu" if options.quantization == "int8-cpu" else options.device
    trouble = gpu_trouble()
    if trouble is None:
        return "cuda" if options.device == "auto" else options.device
    if options.device == "auto" and not options.device_map:
        return "cpu"
    asked = f"device is {options.device}" if options.device != "auto" else "device_map is set"
    raise ModelError(f"llm.{asked}, but {trouble}.", "Set llm.device to cpu.")


def _read(options: Options, place: Whereabouts) -> Card:
    assert place.folder is not None
    card = read_card(options.model, place.folder)
    if card.stored_as and options.quantization != "none":
        raise ConfigError(
            f"{options.model} is stored quantized already ({card.stored_as}).",
            "Set llm.quantization to none, or take the model in full precision.",
        )
    if options.adapter is not None:
        read_adapter(options.adapter)
    return card


def _window(options: Options, card: Card) -> int:
    window = options.window or card.window
    if window is None:
        raise ConfigError(
            f"{options.model} does not say how many tokens it reads.", "Set llm.window."
        )
    if options.max_new_tokens >= window:
        raise ConfigError(
            f"llm.max_new_tokens is {options.max_new_tokens}, but {options.model} reads {window} tokens,"
            " prompt and answer together.",
            f"Set llm.max_new_tokens to {max(1, window // 4)} or less.",
        )
    return window


def _order(options: Options, card: Card, device: str, window: int) -> dict[str, Any]:
    """What the child is told first."""
    adapter = read_adapter(options.adapter) if options.adapter is not None else None
    return {
        **options.model_dump(
            include={
                "model",
                "quantization",
                "device_map",
                "max_memory",
                "dtype",
                "max_new_tokens",
                "temperature",
                "top_p",
                "top_k",
                "repetition_penalty",
                "seed",
                "stop",
                "spin",
            }
        ),
        "folder": str(card.folder),
        "adapter": str(adapter) if adapter else None,
        "device": device,
        "threads": options.threads or physical_cores(),
        "window": window,
        "bytes": card.bytes,
    }

"""Loads a model and its tokenizer as ordered: device, precision, quantization, adapter. In the child.

Weights are safetensors, everything comes from the folder, and no code of the model is run.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ragcli.errors import MissingExtra, ModelError

Order = dict[str, Any]
NAMES = {
    "none": "not quantized",
    "4bit": "4-bit NF4",
    "8bit": "8-bit LLM.int8",
    "int8-cpu": "dynamic int8",
}


def load(order: Order, say: Callable[[str], None]) -> tuple[Any, Any]:
    """(model, tokenizer); says first what is loaded and how.

    Raises ModelError for a device that is absent or too small, and whatever the libraries raise.
    """
    import torch
    from transformers import AutoTokenizer

    device = _device(order)
    if device == "cpu":
        torch.set_num_threads(order["threads"])
    dtype = _dtype(order["dtype"], device, order["quantization"])
    where = _described(device)
    say(
        f"Loading {order['model']} ({_size(order['bytes'])}) on {where}:"
        f" {NAMES[order['quantization']]}, computing in {str(dtype).removeprefix('torch.')}."
    )
    safely = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(order["folder"], **safely)
    model = _model(order, device, dtype, safely)
    _refuse_spill(order, model, say)
    if device == "cpu" and order["quantization"] == "4bit":
        _refuse_widths(order["model"], model)
    if order["adapter"]:
        model = _adapted(model, order)
    if order["quantization"] == "int8-cpu":
        from ragcli.llms.huggingface_int8 import quantize

        quantize(model, order["model"])
    model.eval()
    return model, tokenizer


def _device(order: Order) -> str:
    import torch

    device: str = order["device"]
    if device.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(device.partition(":")[2] or 0) >= count:
            raise ModelError(
                f"llm.device is {device}, but torch sees {count} CUDA GPUs.",
                "Set llm.device to another, or to cpu.",
            )
    if device == "mps" and not torch.backends.mps.is_available():
        raise ModelError("llm.device is mps, but this machine has none.", "Set llm.device to cpu.")
    return device


def _dtype(wanted: str, device: str, quantization: str) -> Any:
    """What is computed in."""
    import torch

    if wanted != "auto":
        return getattr(torch, wanted)
    if device.startswith("cuda"):
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float16
    if device == "mps":
        return torch.float16
    has: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    native = has.get("avx512_bf16") or has.get("amx_bf16") or has.get("bf16")
    return torch.bfloat16 if native and quantization != "int8-cpu" else torch.float32


def _described(device: str) -> str:
    import torch

    if device == "cpu":
        return f"the processor, {torch.get_num_threads()} threads"
    if device == "cuda" and torch.cuda.device_count() > 1:
        return f"{torch.cuda.device_count()} GPUs"
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _model(order: Order, device: str, dtype: Any, safely: dict[str, bool]) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    # int8-cpu makes float32 of one layer after the other, so that they are never all in float32.
    loaded_in = torch.bfloat16 if order["quantization"] == "int8-cpu" else dtype
    return AutoModelForCausalLM.from_pretrained(
        order["folder"],
        dtype=loaded_in,
        quantization_config=_quantization(order, dtype),
        use_safetensors=True,
        **_placement(order, device),
        **safely,
    )


def _quantization(order: Order, dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    spills = {"llm_int8_enable_fp32_cpu_offload": order["device_map"] is not None}
    if order["quantization"] == "4bit":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
            **spills,
        )
    if order["quantization"] == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True, **spills)
    return None


def _placement(order: Order, device: str) -> dict[str, Any]:
    """On one device, over all GPUs, or as accelerate spreads it where that was asked for."""
    import torch

    if order["device_map"]:
        given = order["max_memory"]
        limits = given and {int(k) if k.isdigit() else k: v for k, v in given.items()}
        return {"device_map": order["device_map"], "max_memory": limits}
    if device == "cuda" and torch.cuda.device_count() > 1:
        free = {
            i: int(torch.cuda.mem_get_info(i)[0] * 0.9) for i in range(torch.cuda.device_count())
        }
        return {"device_map": "auto", "max_memory": free}
    return {"device_map": {"": device}}


def _refuse_spill(order: Order, model: Any, say: Callable[[str], None]) -> None:
    """What does not fit on the GPUs goes elsewhere only where a device map was asked for, and is said."""
    places = [str(place) for place in getattr(model, "hf_device_map", {}).values()]
    spilled = sum(place in ("cpu", "disk") for place in places)
    if not spilled or order["device"] == "cpu":
        return
    if not order["device_map"]:
        raise ModelError(
            f"{order['model']} does not fit on the GPUs.",
            "Set llm.quantization to 4bit, or llm.device_map to auto to use the processor too.",
        )
    say(f"{spilled} of {len(places)} parts of the model do not fit on the GPUs: it will be slow.")


def _refuse_widths(name: str, model: Any) -> None:
    """bitsandbytes' kernels for processors with AVX512-BF16 fail on widths that are no round numbers."""
    for layer in model.modules():
        if not getattr(layer, "support_avx512bf16_for_cpu", False):
            continue
        if layer.in_features % 64 or layer.out_features % 32:
            raise ModelError(
                f"{name} has layers of {layer.in_features} to {layer.out_features} numbers, which can"
                " not be computed in 4 bits on this processor.",
                "Set llm.quantization to 8bit or int8-cpu.",
            )


def _adapted(model: Any, order: Order) -> Any:
    """The model with its adapter, merged into the weights where they are not quantized yet."""
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "llm.adapter needs the package peft.", "Run: pip install 'ragcli[lora]'"
        ) from error
    with warnings.catch_warnings():
        # A weight that the adapter does not have would stay as it was made: at random.
        warnings.filterwarnings("error", message=".*missing adapter keys.*")
        adapted = PeftModel.from_pretrained(model, order["adapter"], local_files_only=True)
    if order["quantization"] in ("none", "int8-cpu"):
        return adapted.merge_and_unload(safe_merge=True)
    return adapted

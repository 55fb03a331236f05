"""LangChain's HuggingFacePipeline as its documentation shows it, measured: the peer of `llm_speed.py`.

Its one argument is JSON: folder, quantization, prompt, new tokens, repeats, threads, device. Prints its
speed and memory as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import torch
from langchain_huggingface import HuggingFacePipeline
from transformers import BitsAndBytesConfig


def quantized(quantization: str) -> dict[str, Any]:
    """What transformers is told about it."""
    if quantization != "4bit":
        return {}
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": config}


def main() -> None:
    model, quantization, prompt, new, repeats, threads, device = json.loads(sys.argv[1])
    if device == "cpu":
        torch.set_num_threads(threads)
    started = time.perf_counter()
    chain = HuggingFacePipeline.from_model_id(
        model, "text-generation", device_map=device, model_kwargs=quantized(quantization)
    )
    loaded = time.perf_counter() - started

    def seconds(count: int) -> float:
        start = time.perf_counter()
        chain.invoke(prompt, pipeline_kwargs={"max_new_tokens": count, "do_sample": False})
        return time.perf_counter() - start

    seconds(2)
    prefill = min(seconds(1) for _ in range(repeats))
    whole = min(seconds(new) for _ in range(repeats))
    tokens = len(chain.pipeline.tokenizer(prompt)["input_ids"])
    measured = {
        "load_s": loaded,
        "prefill_tokens_per_s": tokens / prefill,
        "decode_tokens_per_s": (new - 1) / max(whole - prefill, 1e-9),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()

"""How fast a model on this machine reads and writes, by quantization, and how much memory that takes.

    python benchmarks/llm_speed.py [--model DIR | --size 160m] [--prompt 512] [--new 32] [--rounds 3]

Without `--model` a Llama of random weights is made: speed does not depend on what the weights are.
Prefill is reading the prompt (up to the first token), decode writing the tokens behind it. Each round
starts every arm once, one after the other, so that other work on the machine meets all of them; in a
round one answer does not count, and of two more the faster does. Memory is the peak of the process
that holds the model, loading included. The peer is LangChain's HuggingFacePipeline in a process of its
own, used as its documentation shows, and once more with threads that sleep while they wait, as ours do.
Writes benchmarks/results/llm_speed.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage
from machine import save, table

from ragcli.llms import LLMS, Resources
from ragcli.models.cores import physical_cores
from ragcli.models.gpu import gpu_trouble
from ragcli.models.switches import SLEEPING_THREADS
from ragcli.registry import load

SIZES: dict[str, dict[str, int]] = {
    "20m": {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 8},
    "160m": {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12},
    "1b": {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22},
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32},
}
CPU = (
    ("none", "auto"),
    ("none", "float32"),
    ("8bit", "auto"),
    ("4bit", "auto"),
    ("int8-cpu", "auto"),
)
GPU = (("none", "auto"), ("8bit", "auto"), ("4bit", "auto"))
REPEATS = 2
"""Answers of an arm in a round, beside one that does not count."""
MAKE = """
import json, sys, torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
folder, size = sys.argv[1], json.loads(sys.argv[2])
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
torch.manual_seed(0)
torch.set_default_dtype(torch.bfloat16)
config = LlamaConfig(**size, num_attention_heads=size["hidden_size"] // 64, vocab_size=32000,
                     max_position_embeddings=4096, bos_token_id=None, eos_token_id=None)
LlamaForCausalLM(config).save_pretrained(folder)
"""
PEER = Path(__file__).with_name("llm_plain.py")


def make(folder: Path, size: str) -> Path:
    """A model of random weights, stored in bfloat16."""
    command = [sys.executable, "-c", MAKE, str(folder), json.dumps(SIZES[size])]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def measure(
    model: Path, arm: tuple[str, str], prompt: str, new: int, device: str
) -> dict[str, Any]:
    """One quantization through the plug, once."""
    plug = load("llm", LLMS, "huggingface")
    said: list[str] = []
    options = plug.Options(
        model=str(model), quantization=arm[0], dtype=arm[1], device=device, max_new_tokens=new
    )
    started = time.perf_counter()
    llm = plug.build(options, Resources(Path("/nowhere"), offline=True, on_progress=said.append))
    loaded = time.perf_counter() - started
    try:
        answers = [llm.model.invoke([HumanMessage(prompt)]) for _ in range(REPEATS + 1)][1:]
        peak = _peak_mb(llm.model.session.pid)
    finally:
        llm.close()
    tokens = answers[0].usage_metadata
    facts = [answer.response_metadata for answer in answers]
    return {
        "said": next(line for line in said if "computing in" in line).partition(": ")[2],
        "load_s": loaded,
        "prefill_tokens_per_s": tokens["input_tokens"] / min(f["prefill_s"] for f in facts),
        "decode_tokens_per_s": (tokens["output_tokens"] - 1) / min(f["decode_s"] for f in facts),
        "peak_mb": peak,
    }


def peer(
    model: Path, arm: str, prompt: str, new: int, device: str, threads: dict[str, str]
) -> dict[str, Any]:
    """The plain HuggingFacePipeline, once; `threads` are variables that say how its threads wait."""
    order = json.dumps([str(model), arm, prompt, new, REPEATS, physical_cores(), device])
    done = subprocess.run(
        [sys.executable, str(PEER), order],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **threads},
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def arms(model: Path, prompt: str, new: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is measured, by name."""
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    for device in ("cpu",) if gpu_trouble() else ("cpu", "cuda"):
        for arm in CPU if device == "cpu" else GPU:
            found[f"{device} {arm[0]} {arm[1]}"] = partial(measure, model, arm, prompt, new, device)
        for arm_name, how, threads in (
            ("none", "", {}),
            ("none", ", sleeping threads", SLEEPING_THREADS),
            ("4bit", "", {}),
        ):
            if device == "cpu" or not threads:
                name = f"{device} {arm_name} plain HuggingFacePipeline{how}"
                found[name] = partial(peer, model, arm_name, prompt, new, device, threads)
    return found


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds, and the fastest prefill and decode of any."""
    row = {
        key: statistics.median(run[key] for run in runs) if key != "said" else runs[0][key]
        for key in runs[0]
    }
    for key in ("prefill_tokens_per_s", "decode_tokens_per_s"):
        row[f"best_{key}"] = max(run[key] for run in runs)
    return row


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="folder of a model")
    parser.add_argument("--size", choices=SIZES, default="160m", help="of random weights")
    parser.add_argument("--prompt", type=int, default=512, help="tokens of the prompt, about")
    parser.add_argument("--new", type=int, default=32, help="tokens of the answer")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        model = chosen.model or make(Path(scratch) / "model", chosen.size)
        prompt = ("x" * chosen.prompt) if not chosen.model else ("word " * chosen.prompt)
        wanted = arms(model, prompt, chosen.new)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in wanted}
        loads = []
        for _ in range(chosen.rounds):
            for name, run in wanted.items():
                runs[name].append(run())
                loads.append(os.getloadavg()[0])
        rows = {name: summary(those) for name, those in runs.items()}
        weights = sum(part.stat().st_size for part in model.glob("*.safetensors"))
    title = str(chosen.model.name) if chosen.model else f"a Llama of {chosen.size}, random weights"
    figures = {
        "load": statistics.mean(loads),
        "model": title,
        "weights_mb": weights / 1e6,
        "prompt": chosen.prompt,
        "new": chosen.new,
        "rounds": chosen.rounds,
    }
    save("llm_speed", {**figures, "arms": rows}, page(figures, rows))


def page(figures: dict[str, Any], rows: dict[str, dict[str, Any]]) -> str:
    """The figures for people."""
    lines = [
        (
            name,
            row.get("said", "as the folder says, bfloat16").rstrip("."),
            round(row["prefill_tokens_per_s"], 1),
            round(row["best_prefill_tokens_per_s"], 1),
            round(row["decode_tokens_per_s"], 1),
            round(row["best_decode_tokens_per_s"], 1),
            round(row["peak_mb"]),
            round(row["load_s"], 1),
        )
        for name, row in rows.items()
    ]
    header = (
        "arm",
        "how",
        "prefill tokens/s",
        "best",
        "decode tokens/s",
        "best",
        "peak MB",
        "load s",
    )
    return (
        "# How fast a model on this machine reads and writes\n\n"
        f"{figures['model']}, {figures['weights_mb']:.0f} MB in bfloat16; a prompt of about"
        f" {figures['prompt']} tokens, {figures['new']} new ones. `python benchmarks/llm_speed.py`."
        f" Medians of {figures['rounds']} rounds, each of which starts every arm once, and the best of"
        f" any. The load of the machine was {figures['load']:.1f} on {physical_cores()} cores on the"
        " average, these measurements among it.\n\n"
        + table(header, [[f"{c:g}" if isinstance(c, float) else c for c in line] for line in lines])
    )


if __name__ == "__main__":
    main()

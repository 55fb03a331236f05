"""How fast a model on this machine reads and writes, by quantization, and how much memory that takes.

    python benchmarks/llm_speed.py [--model DIR | --size 160m] [--prompt 512] [--new 32] [--rounds 3]

Without `--model` a Llama of random weights is made: speed does not depend on what the weights are.
Prefill is reading the prompt (up to the first token), decode writing the tokens behind it; medians
over the rounds, after one that does not count. Memory is the peak of the process that holds the
model, loading included. The peer is LangChain's HuggingFacePipeline in a process of its own, used
as its documentation shows. Writes benchmarks/results/llm_speed.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage
from machine import save, table

from ragcli.llms import LLMS, Resources
from ragcli.models.cores import physical_cores
from ragcli.models.gpu import gpu_trouble
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
PEER = """
import json, resource, statistics, sys, time
import torch
from langchain_huggingface import HuggingFacePipeline
from transformers import BitsAndBytesConfig
model, arm, prompt, new, rounds, threads, device = json.loads(sys.argv[1])
if device == "cpu":
    torch.set_num_threads(threads)
started = time.perf_counter()
kwargs = {}
if arm == "4bit":
    kwargs["quantization_config"] = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16)
chain = HuggingFacePipeline.from_model_id(
    model, "text-generation", device_map=device, model_kwargs=kwargs)
loaded = time.perf_counter() - started
def seconds(count):
    start = time.perf_counter()
    chain.invoke(prompt, pipeline_kwargs={"max_new_tokens": count, "do_sample": False})
    return time.perf_counter() - start
seconds(2)
one = [seconds(1) for _ in range(rounds)]
all_ = [seconds(new) for _ in range(rounds)]
prefill = statistics.median(one)
tokens = len(chain.pipeline.tokenizer(prompt)["input_ids"])
print(json.dumps({
    "load_s": loaded, "prefill_tokens_per_s": tokens / prefill,
    "decode_tokens_per_s": (new - 1) / (statistics.median(all_) - prefill),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def make(folder: Path, size: str) -> Path:
    """A model of random weights, stored in bfloat16."""
    command = [sys.executable, "-c", MAKE, str(folder), json.dumps(SIZES[size])]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def measure(
    model: Path, arm: tuple[str, str], prompt: str, new: int, rounds: int, device: str
) -> dict[str, Any]:
    """One quantization through the plug."""
    plug = load("llm", LLMS, "huggingface")
    said: list[str] = []
    options = plug.Options(
        model=str(model), quantization=arm[0], dtype=arm[1], device=device, max_new_tokens=new
    )
    started = time.perf_counter()
    llm = plug.build(options, Resources(Path("/nowhere"), offline=True, on_progress=said.append))
    loaded = time.perf_counter() - started
    try:
        answers = [llm.model.invoke([HumanMessage(prompt)]) for _ in range(rounds + 1)][1:]
        peak = _peak_mb(llm.model.session.pid)
    finally:
        llm.close()
    tokens = answers[0].usage_metadata
    facts = [answer.response_metadata for answer in answers]
    return {
        "said": next(line for line in said if line.startswith("Loading ")).partition(": ")[2],
        "load_s": loaded,
        "prefill_tokens_per_s": tokens["input_tokens"]
        / statistics.median(f["prefill_s"] for f in facts),
        "decode_tokens_per_s": (tokens["output_tokens"] - 1)
        / statistics.median(f["decode_s"] for f in facts),
        "peak_mb": peak,
    }


def peer(model: Path, arm: str, prompt: str, new: int, rounds: int, device: str) -> dict[str, Any]:
    """The plain HuggingFacePipeline."""
    order = json.dumps([str(model), arm, prompt, new, rounds, physical_cores(), device])
    done = subprocess.run(
        [sys.executable, "-c", PEER, order], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


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
        shared = (prompt, chosen.new, chosen.rounds)
        rows: dict[str, dict[str, Any]] = {}
        for device in ("cpu",) if gpu_trouble() else ("cpu", "cuda"):
            for arm in CPU if device == "cpu" else GPU:
                rows[f"{device} {arm[0]} {arm[1]}"] = measure(model, arm, *shared, device)
            for quantization in ("none", "4bit"):
                name = f"{device} {quantization} plain HuggingFacePipeline"
                rows[name] = peer(model, quantization, *shared, device)
        weights = sum(part.stat().st_size for part in model.glob("*.safetensors"))
    title = str(chosen.model.name) if chosen.model else f"a Llama of {chosen.size}, random weights"
    figures = {
        "model": title,
        "weights_mb": weights / 1e6,
        "prompt": chosen.prompt,
        "new": chosen.new,
    }
    save("llm_speed", {**figures, "arms": rows}, page(figures, rows))


def page(figures: dict[str, Any], rows: dict[str, dict[str, Any]]) -> str:
    """The figures for people."""
    lines = [
        (
            name,
            row.get("said", "as the folder says, bfloat16").rstrip("."),
            round(row["prefill_tokens_per_s"], 1),
            round(row["decode_tokens_per_s"], 1),
            round(row["peak_mb"]),
            round(row["load_s"], 1),
        )
        for name, row in rows.items()
    ]
    header = ("arm", "how", "prefill tokens/s", "decode tokens/s", "peak MB", "load s")
    return (
        "# How fast a model on this machine reads and writes\n\n"
        f"{figures['model']}, {figures['weights_mb']:.0f} MB in bfloat16; a prompt of about"
        f" {figures['prompt']} tokens, {figures['new']} new ones. `python benchmarks/llm_speed.py`."
        " The arms run one after the other, so whatever else the machine does shows in them.\n\n"
        + table(header, [[f"{c:g}" if isinstance(c, float) else c for c in line] for line in lines])
    )


if __name__ == "__main__":
    main()

"""Run in a process of its own: variants of the small chat model, and what plain libraries make of them.

`python workbench.py CHAT_MODEL FOLDER` leaves `FOLDER/adapter` and `FOLDER/foreign` (LoRA adapters,
the second for another model), `FOLDER/nan` (a model that computes nothing), `FOLDER/endless` (one
that does not know when to stop), `FOLDER/plain` (one without a chat template), and
`FOLDER/expected.json`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from langchain_huggingface import HuggingFacePipeline
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tinychat import messages, question
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, pipeline

from ragcli.llms.huggingface_int8 import Int8Linear

TEXTS = ["The code of the lantern is 4821.", "The code of the harbour is 7350."]
FILES = ["codes.md", "notes.txt"]
ASKED = messages(question("harbour"), TEXTS, FILES)
NEW = 24


def main(model: Path, out: Path) -> None:
    """Make the variants and compute what is expected."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    make_adapter(model, out / "adapter", ["q_proj", "v_proj"])
    make_adapter(model, out / "foreign", ["down_proj"])
    config = out / "foreign" / "adapter_config.json"
    config.write_text(config.read_text().replace("down_proj", "dense_h_to_4h"))
    make_nan(model, out / "nan")
    make_endless(model, out / "endless")
    make_plain(model, out / "plain")
    expected = {
        "none": said(loaded(model)),
        "4bit": said(
            loaded(
                model,
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=torch.float32,
            )
        ),
        "8bit": said(loaded(model, load_in_8bit=True)),
        "adapter": said(PeftModel.from_pretrained(loaded(model), out / "adapter")),
        "plain": said(loaded(model), plain=True),
        "int8": int8_errors(),
    }
    (out / "expected.json").write_text(json.dumps(expected))


def loaded(model: Path, **quantized: Any) -> Any:
    """The model as transformers loads it."""
    config = BitsAndBytesConfig(**quantized) if quantized else None
    return AutoModelForCausalLM.from_pretrained(
        model, dtype=torch.float32, quantization_config=config, device_map={"": "cpu"}
    )


def said(model: Any, plain: bool = False) -> str:
    """The greedy answer by LangChain's HuggingFacePipeline, used as its documentation shows."""
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    chain = HuggingFacePipeline(
        pipeline=pipeline("text-generation", model=model, tokenizer=tokenizer),
        pipeline_kwargs={"return_full_text": False},
    )
    text = "\n\n".join(message["content"] for message in ASKED) + "\n\nAnswer:"
    if not plain:
        text = tokenizer.apply_chat_template(ASKED, tokenize=False, add_generation_prompt=True)
    kwargs = {"return_full_text": False, "do_sample": False, "max_new_tokens": NEW}
    return str(chain.invoke(text, pipeline_kwargs=kwargs)).lstrip()


def make_adapter(model: Path, folder: Path, targets: list[str]) -> None:
    """A LoRA adapter of random weights, large enough to change what is said."""
    lora = LoraConfig(
        r=4, lora_alpha=64, target_modules=targets, init_lora_weights=False, task_type="CAUSAL_LM"
    )
    get_peft_model(loaded(model), lora).save_pretrained(folder)


def make_nan(model: Path, folder: Path) -> None:
    """The model with a norm that is not a number."""
    shutil.copytree(model, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def make_endless(model: Path, folder: Path) -> None:
    """The model with the end of its answers forgotten: it goes on to the last token it may have."""
    shutil.copytree(model, folder)
    for name, key, value in (
        ("config.json", "eos_token_id", 3),
        ("generation_config.json", "eos_token_id", 3),
        ("tokenizer_config.json", "eos_token", "<|user|>"),
    ):
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("{{ eos_token }}", "</s>"))


def make_plain(model: Path, folder: Path) -> None:
    """The model without its chat template."""
    shutil.copytree(model, folder)
    (folder / "chat_template.jinja").unlink()


def int8_errors() -> dict[str, float]:
    """How far int8 strays from float32, alone and beside a token with a thousand times larger numbers."""
    linear = torch.nn.Linear(64, 48)
    inputs = torch.randn(5, 64)
    loud = torch.cat([inputs, 1000 * torch.randn(1, 64)])
    exact, ours = linear(inputs), Int8Linear(linear)
    ready = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(linear), dtype=torch.qint8)

    def error(computed: torch.Tensor) -> float:
        return float((computed - exact).norm() / exact.norm())

    return {
        "alone": error(ours(inputs)),
        "beside a loud one": error(ours(loud)[:5]),
        "torch's own, beside a loud one": error(ready(loud)[:5]),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

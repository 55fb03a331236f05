"""Run in a process of its own: variants of the small chat model, what is said by them, and by plain libraries.

`python workbench.py CHAT_MODEL FOLDER` makes the variants below FOLDER, and then
`FOLDER/expected.json`, what plain libraries say, and `FOLDER/told.json`, what the program's own child
replies. The child's loop runs in this one process for all of them: torch and transformers take longer
to import than all of it takes to compute.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from asking import FILES, TEXTS, edit, make_endless
from langchain_huggingface import HuggingFacePipeline
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tinychat import messages, question
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, pipeline

from ragcli.llms import huggingface
from ragcli.llms.huggingface_child import Replies, serve
from ragcli.llms.huggingface_int8 import Int8Linear
from ragcli.models.frames import receive, send

ASKED = messages(question("harbour"), TEXTS, FILES)
NEW = 24
QUANTIZATIONS = ("none", "4bit", "8bit", "int8-cpu")
EVIL = """
from pathlib import Path
Path({marker!r}).write_text("run")
raise RuntimeError("code of a model was run")
"""
NO_SYSTEM = (
    "{% for m in messages if m.role == 'user' %}<|user|>{{ m.content }}{% endfor %}<|assistant|>\n"
)
NEVER_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + NO_SYSTEM
)
PYTHON = "{{ messages.__class__.__base__.__subclasses__() }}"


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
    make_damaged(model, out / "damaged")
    for name, template in (
        ("leaves it out", NO_SYSTEM), ("refuses it", NEVER_SYSTEM), ("reaches", PYTHON)
    ):  # fmt: skip
        shutil.copytree(model, out / name)
        (out / name / "chat_template.jinja").write_text(template)
    make_code(model, out / "code", "llama")
    make_code(model, out / "own code", "evil")
    told = {
        **{name: child(model, ["harbour", "granary"], quantization=name) for name in QUANTIZATIONS},
        "adapter": child(model, ["harbour"], adapter=str(out / "adapter"), dtype="float32"),
        "adapter, 4bit": child(
            model, ["harbour"], adapter=str(out / "adapter"), quantization="4bit"
        ),
        "foreign": child(model, ["harbour"], adapter=str(out / "foreign")),
        **{
            name: child(out / name, ["harbour"], dtype="float32")
            for name in ("plain", "damaged", "leaves it out", "refuses it", "reaches", "code")
        },
        "own code": child(out / "own code", ["harbour"]),
    }
    (out / "told.json").write_text(json.dumps(told))
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


def child(model: Path, nouns: list[str], **chosen: Any) -> list[dict[str, Any]]:
    """What the child replies when it is asked for these codes, one after the other."""
    options = huggingface.Options(
        **{"model": str(model), "device": "cpu", "threads": 1, "max_new_tokens": NEW, **chosen}
    )
    requests, replies = io.BytesIO(), io.BytesIO()
    send(requests, {**options.model_dump(), "folder": str(model), "window": 1024, "bytes": 1})
    for noun in nouns:
        send(requests, {"messages": messages(question(noun), TEXTS, FILES), "stop": []})
    requests.seek(0)
    with contextlib.suppress(EOFError):
        serve(requests, Replies(replies))
    replies.seek(0)
    heard = []
    while replies.tell() < len(replies.getvalue()):
        heard.append(receive(replies)[0])
    return heard


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


def make_plain(model: Path, folder: Path) -> None:
    """The model without its chat template."""
    shutil.copytree(model, folder)
    (folder / "chat_template.jinja").unlink()


def make_damaged(model: Path, folder: Path) -> None:
    """The model with the end of its weights lost."""
    shutil.copytree(model, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def make_code(model: Path, folder: Path, kind: str) -> None:
    """The model with code of its own beside it, which leaves a marker when it is run."""
    shutil.copytree(model, folder)
    (folder / "evil.py").write_text(EVIL.format(marker=str(folder / "marker")))
    classes = dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForCausalLM"), "evil.Evil")
    edit(folder / "config.json", auto_map=classes, model_type=kind)
    edit(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})


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

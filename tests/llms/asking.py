"""How tests build a model on this machine and ask it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage

from ragcli.llms import LLMS, Resources
from ragcli.llms.llm import Llm
from ragcli.registry import load

TEXTS = ["The code of the lantern is 4821.", "The code of the harbour is 7350."]
FILES = ["codes.md", "notes.txt"]


def options(model: Path | str, **chosen: Any) -> Any:
    """Options of the plug; short answers on one thread."""
    plug = load("llm", LLMS, "huggingface")
    return plug.Options(
        **{"model": str(model), "device": "cpu", "threads": 1, "max_new_tokens": 24, **chosen}
    )


@contextmanager
def built(
    model: Path, cache: Path, said: Callable[[str], None] = lambda _: None, **chosen: Any
) -> Iterator[Llm]:
    """The model, closed at the end."""
    plug = load("llm", LLMS, "huggingface")
    resources = Resources(cache, offline=True, on_progress=said)
    llm: Llm = plug.build(options(model, **chosen), resources)
    try:
        yield llm
    finally:
        llm.close()


def asked(noun: str, texts: list[str] = TEXTS, files: list[str] = FILES) -> list[Any]:
    """Messages that ask for the code of something, as they are made by default."""
    from ragcli.answer import prompts
    from ragcli.types import StoredChunk

    passages = [
        prompts.passage(
            prompts.PASSAGE,
            n,
            StoredChunk(
                1, "id", 1, 1, text, (), (), 1, f"/d/{name}", "text", None, None, None, "line", {}
            ),
        )
        for n, (text, name) in enumerate(zip(texts, files, strict=True), 1)
    ]
    question = prompts.ask(prompts.PROMPT, f"What is the code of the {noun}?", passages)
    return [SystemMessage(prompts.instruct(prompts.SYSTEM)), HumanMessage(question)]


def streamed(llm: Llm, messages: list[Any], **chosen: Any) -> tuple[list[str], AIMessageChunk]:
    """The pieces that came, and all of them as one message."""
    chunks = list(llm.model.stream(messages, **chosen))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return [str(chunk.text) for chunk in chunks if chunk.text], whole


def edit(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def make_endless(model: Path, folder: Path) -> None:
    """The model with the end of its answers forgotten: it goes on to the last token it may have."""
    shutil.copytree(model, folder)
    edit(folder / "config.json", eos_token_id=3)
    edit(folder / "generation_config.json", eos_token_id=3)
    edit(folder / "tokenizer_config.json", eos_token="<|user|>")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("{{ eos_token }}", "</s>"))

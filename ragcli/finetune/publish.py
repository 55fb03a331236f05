"""Writes what came of a run as a folder: model, ONNX export, fingerprint, evaluation, card.

The card is ours and quotes no training row. The folder appears all at once.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.embedders.files import storing
from ragcli.embedders.lineage import ADAPTER, FACTS
from ragcli.models.places import is_path

if TYPE_CHECKING:
    from ragcli.embedders import EmbedderInfo

KEPT_FROM_BASE = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "sentence_bert_config.json",
)
"""Taken over byte for byte: the tokenizer decides how a collection is split."""
ON_TOP = (
    f"`{ADAPTER}` is a map for the vectors of questions, which ragcli applies and was measured with;"
    " elsewhere multiply\nthem by it: `model.encode(questions) @ numpy.load(path)`.\n"
)
MAP = """\
No model, but one matrix, {dimension} x {dimension}, in `{adapter}`. Load {base}: passages keep the vectors
that it gives them, and vectors of questions are multiplied by the matrix.

```python
import numpy as np
from sentence_transformers import SentenceTransformer

model = SentenceTransformer({base!r})
vectors = model.encode(["..."], prompt={prompt!r}, normalize_embeddings=True)
vectors = vectors @ np.load("{adapter}")
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
```

In ragcli, `embedder.query_adapter` names this folder and `embedder.model` is {base}.
"""


def restore_base_files(model: Path, base: Path) -> None:
    """Put the base's own tokenizer back: saving it again may write other bytes for the same tokens."""
    for name in KEPT_FROM_BASE:
        if (base / name).is_file():
            shutil.copyfile(base / name, model / name)


def keep_prompts(model: Path, base: Path) -> None:
    """The prompts of the base, as it names them."""
    name = "config_sentence_transformers.json"
    if not (base / name).is_file():
        return
    known = json.loads((base / name).read_bytes())
    path = model / name
    own = json.loads(path.read_bytes()) if path.is_file() else {}
    for key in ("prompts", "default_prompt_name"):
        if key in known:
            own[key] = known[key]
    path.write_text(json.dumps(own, indent=2), encoding="utf-8")


def keep_config(model: Path, base: Path) -> None:
    """The base's configuration: what was only meant for training does not ship."""
    if (base / "config.json").is_file():
        known = json.loads((base / "config.json").read_bytes())
        own = json.loads((model / "config.json").read_bytes())
        for key in ("attention_probs_dropout_prob", "attention_dropout"):
            if key in known:
                own[key] = known[key]
            else:
                own.pop(key, None)
        (model / "config.json").write_text(json.dumps(own, indent=2), encoding="utf-8")


def add_export(model: Path, exported: Path) -> None:
    """Copy the converted model beside the weights."""
    target = model / "onnx"
    target.mkdir(exist_ok=True)
    for name in ("model.onnx", "manifest.json"):
        if (exported / name).is_file():
            shutil.copyfile(exported / name, target / name)


def write_facts(folder: Path, base: EmbedderInfo, told: dict[str, Any]) -> None:
    """Leave `finetuning.json` and the card."""
    root = base.tuned_from or base.fingerprint
    lineage = {"base": base.model, "base_fingerprint": root}
    facts = {"schema": "ragcli.finetuning/1", **lineage, **told}
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    how = _use_of_map(base) if _is_map(facts) else _use_of_model(facts)
    (folder / "README.md").write_text(_card(facts, how), encoding="utf-8")


def publish(staged: Path, target: Path) -> Path:
    """Move the finished folder to its place, private to its owner."""
    with storing(target.parent):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in staged.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        staged.chmod(0o700)
        try:
            staged.replace(target)
        except OSError:
            shutil.copytree(staged, target)
    return target


def _is_map(facts: dict[str, Any]) -> bool:
    return bool(facts.get("recipe", {}).get("mode") == "adapter")


def _card(facts: dict[str, Any], how: str) -> str:
    proof = facts.get("proof", {})
    rows = [
        f"| {name} | {part['before']:.3f} | {part['after']:.3f} | {part['verdict']} |"
        for name, part in proof.items()
        if isinstance(part, dict) and "before" in part
    ]
    table = "\n".join(["| nDCG@10 | before | after | |", "|---|---|---|---|", *rows])
    recipe = ", ".join(f"{key} {value}" for key, value in facts.get("recipe", {}).items())
    what = f"A map for {facts['base']}, fitted" if _is_map(facts) else f"{facts['base']}, tuned"
    return (
        f"{_head(facts)}# {facts['name']}\n\n"
        f"{what} by `ragcli finetune-embedder` ({recipe}) on"
        f" {facts.get('examples', 0)} examples of {facts.get('data', '')}.\n\n"
        f"Measured on held-out questions in the full corpus:\n\n{table}\n\n{how}"
    )


def _head(facts: dict[str, Any]) -> str:
    """What the Hub reads: of a map not that a library would load it, of a base only what is there."""
    lines = [] if is_path(facts["base"]) else [f"base_model: {facts['base']}"]
    if not _is_map(facts):
        lines = ["library_name: sentence-transformers", "pipeline_tag: sentence-similarity", *lines]
    return "\n".join(["---", *lines, "---\n\n"]) if lines else ""


def _use_of_model(facts: dict[str, Any]) -> str:
    return (
        "It loads in sentence-transformers as it is. `onnx/` holds the export that ragcli runs.\n"
        f"{ON_TOP if facts.get('map', {}).get('strength') else ''}"
    )


def _use_of_map(base: EmbedderInfo) -> str:
    return MAP.format(
        adapter=ADAPTER, base=base.model, dimension=base.dimension, prompt=base.query_prompt
    )

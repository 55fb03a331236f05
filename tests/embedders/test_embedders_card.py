"""A model's own files are hostile: what would need its code is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from models import make_model

from ragcli.embedders.card import read_card
from ragcli.embedders.tokens import TokenReader
from ragcli.errors import ModelError


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def modules(folder: Path, *types: str, place: str = "") -> None:
    listed = [{"idx": i, "name": str(i), "path": place, "type": t} for i, t in enumerate(types)]
    (folder / "modules.json").write_text(json.dumps(listed))


ST = "sentence_transformers.models."
REFUSALS = {
    "code of its own": lambda f: rewrite(f / "config.json", auto_map={"AutoModel": "evil.Model"}),
    "decoder": lambda f: rewrite(f / "config.json", is_encoder_decoder=True),
    "quantized": lambda f: rewrite(f / "config.json", quantization_config={"bits": 4}),
    "how wide": lambda f: rewrite(f / "config.json", hidden_size=None),
    "evil.Thing": lambda f: modules(f, ST + "Transformer", "evil.Thing"),
    "models.CNN": lambda f: modules(f, ST + "Transformer", ST + "Pooling", ST + "CNN"),
    "not one text encoder": lambda f: modules(f, ST + "Pooling", ST + "Transformer"),
    "outside of its folder": lambda f: modules(f, ST + "Transformer", ST + "Pooling", place="../x"),
    "outside of": lambda f: modules(f, ST + "Transformer", ST + "Pooling", place="/etc"),
    "its modules.json cannot be read": lambda f: (f / "modules.json").write_text("[" * 100_000),
    "its config.json cannot be read": lambda f: (f / "config.json").write_text("{"),
    "its config.json is not an object": lambda f: (f / "config.json").write_text("[]"),
    "its pooling is 'sum'": lambda f: rewrite(f / "1_Pooling/config.json", pooling_mode="sum"),
    "prompt out of the pooling": lambda f: rewrite(
        f / "1_Pooling/config.json", include_prompt=False
    ),
    "reads only 8 tokens": lambda f: rewrite(f / "sentence_bert_config.json", max_seq_length=8),
    "no tokenizer.json": lambda f: (f / "tokenizer.json").unlink(),
    "no safetensors": lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
    "part of its safetensors": lambda f: shard(f, "gone.safetensors"),
    "points outside": lambda f: shard(f, "../../weights.safetensors"),
}


def shard(folder: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"embeddings.word_embeddings.weight": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("why", REFUSALS)
def test_refused_in_one_sentence(tmp_path: Path, why: str) -> None:
    folder = make_model(tmp_path / "model")
    REFUSALS[why](folder)
    with pytest.raises(ModelError) as caught:
        read_card("some/model", folder)
    assert why in caught.value.message
    assert caught.value.message.startswith("The model some/model cannot be used: ")
    assert "\n" not in caught.value.message
    assert caught.value.fix


def test_modules_of_any_version_are_known(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model")
    modules(
        folder,
        "sentence_transformers.base.modules.transformer.Transformer",
        "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
        "sentence_transformers.base.modules.normalize.Normalize",
    )
    assert [step.kind for step in read_card("m", folder).steps] == ["normalize"]


def test_without_modules_it_is_a_mean_over_the_tokens(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", pooling="cls")
    assert read_card("m", folder).pooling == ("cls",)
    (folder / "modules.json").unlink()
    assert read_card("m", folder).pooling == ("mean",)


@pytest.mark.parametrize(
    ("kind", "said", "tokenizer", "expected"),
    [
        ("bert", 64, 512, 64),
        ("bert", None, 512, 128),
        ("bert", None, 100, 100),
        ("bert", 4096, 512, 128),
        ("roberta", None, 512, 128),
        ("mpnet", None, 10**30, 128),
    ],
)
def test_length_never_exceeds_what_the_model_can_number(
    tmp_path: Path, kind: str, said: int | None, tokenizer: int, expected: int
) -> None:
    folder = make_model(tmp_path / "model", kind, max_tokens=said)
    rewrite(folder / "tokenizer_config.json", model_max_length=tokenizer)
    assert read_card("m", folder).max_tokens == expected


@pytest.mark.parametrize(
    ("prompts", "document", "query"),
    [
        ({}, "", ""),
        ({"query": "q: "}, "", "q: "),
        ({"query": "q: ", "passage": "p: "}, "p: ", "q: "),
        ({"document": "d: ", "passage": "p: ", "corpus": "c: "}, "d: ", ""),
        ({"document": None, "corpus": "c: "}, "c: ", ""),
    ],
)
def test_prompts_by_name(tmp_path: Path, prompts: dict, document: str, query: str) -> None:
    card = read_card("m", make_model(tmp_path / "model", prompts=prompts, default_prompt=None))
    assert (card.document_prompt, card.query_prompt) == (document, query)


@pytest.mark.parametrize("odd", [[], {}, "x", -1, 1.5, None, True, [[]], {"x": []}])
def test_odd_values_are_refused_or_harmless(tmp_path: Path, odd: object) -> None:
    folder = make_model(tmp_path / "model", prompts={"query": "q: "})
    files = [path for path in folder.rglob("*.json") if path.name != "tokenizer.json"]
    assert len(files) == 6
    tried = 0
    for path in files:
        text = path.read_text()
        whole = json.loads(text)
        for key in whole if isinstance(whole, dict) else []:
            path.write_text(json.dumps(whole | {key: odd}))
            tried += 1
            try:
                assert read_card("m", folder).max_tokens > 0
            except ModelError as error:
                assert "\n" not in error.message
        path.write_text(text)
    assert tried > 20


def test_a_broken_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read"):
        TokenReader(read_card("m", folder))

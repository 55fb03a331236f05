"""Makes tiny real embedding models: trained tokenizers, seeded weights, saved as sentence-transformers folders.

No torch is needed to make one. Word vectors dominate the random layers, so that texts sharing words
lie near each other, as with a trained model.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

KINDS = ("bert", "roberta", "mpnet", "xlm-roberta")
WIDTH, LAYERS, HEADS, INNER = 32, 2, 4, 64
SPECIAL = {
    "bert": ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    "roberta": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
    "mpnet": ("<s>", "<pad>", "</s>", "[UNK]", "<mask>"),
    "xlm-roberta": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
}
TOKENIZERS = {
    "bert": "BertTokenizer",
    "roberta": "RobertaTokenizer",
    "mpnet": "MPNetTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
}
CORPUS = (
    "The harbour master writes the height of the tide into the log every morning.",
    "A river carries sand to the delta, and the delta grows a little every year.",
    "Engineers rebuilt the bridge after the storm of 1953 with steel and concrete.",
    "How high is the sea wall? It was raised to 4.5 metres in 2012 (and again in 2019).",
    "Café, naïve, Größe, Łódź, ελληνικά, русский: words of many alphabets.",
    "def area(radius): return 3.14159 * radius ** 2  # a comment",
    "Bread needs flour, water, salt and yeast; it rises for three hours.",
    "The library lends books for four weeks and charges nothing for children.",
)


def make_model(
    folder: Path,
    kind: str = "bert",
    *,
    pooling: str | list[str] = "mean",
    normalize: bool = True,
    dense: int | None = None,
    prompts: dict[str, str] | None = None,
    default_prompt: str | None = None,
    max_tokens: int | None = 64,
    seed: int = 0,
) -> Path:
    """Write a tiny model of one of `KINDS` into `folder` and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = make_tokenizer(folder, kind)
    random = np.random.default_rng(seed)
    _write(folder / "config.json", _config(kind, vocabulary))
    save_file(_weights(kind, vocabulary, random), folder / "model.safetensors", {"format": "pt"})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens})
    if prompts is not None:
        names = {"prompts": prompts, "default_prompt_name": default_prompt}
        _write(folder / "config_sentence_transformers.json", names)
    modules = ["Transformer", "Pooling"]
    modes = [pooling] if isinstance(pooling, str) else pooling
    _write(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": WIDTH, **{f"pooling_mode_{_legacy(m)}": True for m in modes}},
    )
    if dense:
        modules.append("Dense")
        _dense(folder / "2_Dense", WIDTH * len(modes), dense, random)
    modules += ["Normalize"] if normalize else []
    listed = [
        {
            "idx": i,
            "name": str(i),
            "path": f"{i}_{name}" if i else "",
            "type": f"sentence_transformers.models.{name}",
        }
        for i, name in enumerate(modules)
    ]
    _write(folder / "modules.json", listed)
    return folder


def make_tokenizer(folder: Path, kind: str) -> int:
    """Train a tokenizer of the kind on a few sentences, save it, and return its vocabulary size."""
    special = list(SPECIAL[kind])
    tokenizer = {
        "bert": _wordpiece,
        "mpnet": _wordpiece,
        "roberta": _bytes,
        "xlm-roberta": _unigram,
    }[kind](special, kind)
    first, last = ("[CLS]", "[SEP]") if kind == "bert" else ("<s>", "</s>")
    ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B {last}", special_tokens=ids
    )
    # As published models do: a truncation and a padding that are not the model's own.
    tokenizer.enable_truncation(max_length=16)
    tokenizer.enable_padding(length=16)
    tokenizer.save(str(folder / "tokenizer.json"))
    pad, unknown = ("[PAD]", "[UNK]") if kind == "bert" else ("<pad>", special[3])
    settings = {
        "tokenizer_class": TOKENIZERS[kind],
        "model_max_length": 512,
        "pad_token": pad,
        "unk_token": unknown,
        "cls_token": first,
        "sep_token": last,
        "mask_token": special[-1],
    }
    if kind != "bert":
        settings |= {"bos_token": first, "eos_token": last}
    if kind in ("bert", "mpnet"):
        settings["do_lower_case"] = True
    _write(folder / "tokenizer_config.json", settings)
    return int(tokenizer.get_vocab_size())


def _wordpiece(special: list[str], kind: str) -> Tokenizer:
    """Whole words of the corpus and single letters: unlike a trained one, the same every time."""
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    texts = [normalizer.normalize_str(text) for text in CORPUS]
    words = sorted({word for text in texts for word, _ in splitter.pre_tokenize_str(text)})
    letters = sorted({letter for word in words for letter in word})
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(special)
    return tokenizer


def _bytes(special: list[str], kind: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _unigram(special: list[str], kind: str) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _config(kind: str, vocabulary: int) -> dict[str, object]:
    offset = 0 if kind == "bert" else 2
    return {
        "model_type": kind,
        "architectures": [_class(kind)],
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": 128 + offset,
        "type_vocab_size": 1 if offset else 2,
        "pad_token_id": 1 if offset else 0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12 if kind == "bert" else 1e-5,
        "relative_attention_num_buckets": 32,
    }


def _class(kind: str) -> str:
    names = {"bert": "Bert", "roberta": "Roberta", "mpnet": "MPNet", "xlm-roberta": "XLMRoberta"}
    return f"{names[kind]}Model"


def _weights(kind: str, vocabulary: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    config = _config(kind, vocabulary)
    words = random.normal(size=(vocabulary, WIDTH))
    positions = random.normal(size=(int(str(config["max_position_embeddings"])), WIDTH)) * 0.1
    weights = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": positions,
        **_norm("embeddings.LayerNorm"),
    }
    if kind == "mpnet":
        weights["encoder.relative_attention_bias.weight"] = random.normal(size=(32, HEADS))
    else:
        types = random.normal(size=(int(str(config["type_vocab_size"])), WIDTH)) * 0.1
        weights["embeddings.token_type_embeddings.weight"] = types
    for layer in range(LAYERS):
        weights |= _layer(kind, f"encoder.layer.{layer}", random)
    weights |= _linear("pooler.dense", WIDTH, WIDTH, random)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def _layer(kind: str, name: str, random: np.random.Generator) -> dict[str, np.ndarray]:
    if kind == "mpnet":
        products = [f"attention.attn.{part}" for part in "qkvo"]
        norm = "attention.LayerNorm"
    else:
        products = [f"attention.self.{part}" for part in ("query", "key", "value")]
        products.append("attention.output.dense")
        norm = "attention.output.LayerNorm"
    weights: dict[str, np.ndarray] = {}
    for product in products:
        weights |= _linear(f"{name}.{product}", WIDTH, WIDTH, random)
    weights |= _linear(f"{name}.intermediate.dense", WIDTH, INNER, random)
    weights |= _linear(f"{name}.output.dense", INNER, WIDTH, random)
    return weights | _norm(f"{name}.{norm}") | _norm(f"{name}.output.LayerNorm")


def _linear(name: str, inputs: int, outputs: int, random: np.random.Generator) -> dict:
    weight = random.normal(size=(outputs, inputs)) / np.sqrt(inputs) * 0.5
    return {f"{name}.weight": weight, f"{name}.bias": random.normal(size=outputs) * 0.05}


def _norm(name: str) -> dict[str, np.ndarray]:
    return {f"{name}.weight": np.ones(WIDTH), f"{name}.bias": np.zeros(WIDTH)}


def _dense(folder: Path, inputs: int, outputs: int, random: np.random.Generator) -> None:
    activation = "torch.nn.modules.activation.Tanh"
    sizes = {"in_features": inputs, "out_features": outputs, "bias": True}
    _write(folder / "config.json", {**sizes, "activation_function": activation})
    weights = _linear("linear", inputs, outputs, random)
    single = {name: value.astype(np.float32) for name, value in weights.items()}
    save_file(single, folder / "model.safetensors")


def _legacy(mode: str) -> str:
    names = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens"}
    names |= {"weightedmean": "weightedmean_tokens", "lasttoken": "lasttoken"}
    return names.get(mode, mode)


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def make_cross_encoder(folder: Path, kind: str = "bert", *, labels: int = 1, seed: int = 0) -> Path:
    """Write a tiny cross-encoder of one of `KINDS` but mpnet into `folder` and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = make_tokenizer(folder, kind)
    _pair_template(folder / "tokenizer.json", kind)
    random = np.random.default_rng(seed)
    prefix = "bert" if kind == "bert" else "roberta"
    body = _weights(kind, vocabulary, random)
    weights = {f"{prefix}.{name}": value for name, value in body.items()}
    if kind == "bert":
        last = _linear("classifier", WIDTH, labels, random)
    else:
        weights = {name: value for name, value in weights.items() if ".pooler." not in name}
        weights |= _linear("classifier.dense", WIDTH, WIDTH, random)
        last = _linear("classifier.out_proj", WIDTH, labels, random)
    # Scores spread only where the last layer is large and leans to neither side.
    weights |= {name: value * (20 if "weight" in name else 0) for name, value in last.items()}
    saved = {name: value.astype(np.float32) for name, value in weights.items()}
    save_file(saved, folder / "model.safetensors", {"format": "pt"})
    architecture = _class(kind).removesuffix("Model") + "ForSequenceClassification"
    names = {str(label): f"LABEL_{label}" for label in range(labels)}
    config = {**_config(kind, vocabulary), "architectures": [architecture], "id2label": names}
    _write(folder / "config.json", config)
    return folder


def _pair_template(path: Path, kind: str) -> None:
    """As published tokenizers put two texts together; BERT's tell them apart by type."""
    tokenizer = Tokenizer.from_file(str(path))
    first, last = ("[CLS]", "[SEP]") if kind == "bert" else ("<s>", "</s>")
    between, second = ("", ":1") if kind == "bert" else (f" {last}", "")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last}{between} $B{second} {last}{second}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
    tokenizer.save(str(path))

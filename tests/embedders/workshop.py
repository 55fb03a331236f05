"""Run in a process of its own: makes tiny models, converts them, and writes what torch computes.

`python workshop.py FOLDER` leaves `FOLDER/models/NAME`, the conversions in `FOLDER/cache`, and
`FOLDER/NAME.documents.npy` and `NAME.queries.npy` as sentence-transformers computes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from models import CORPUS, KINDS, make_model

from ragcli.embedders import describe, export
from ragcli.embedders.card import read_card
from ragcli.embedders.convert import keep, place_of, staging
from ragcli.embedders.probes import PROBES
from ragcli.settings import Embedder

TEXTS = [*PROBES, *CORPUS, "", "  spaces  and\ttabs\nand lines  "]
PROMPTS = {"query": "question: ", "document": "how high: "}
POOLINGS = ("cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
VARIANTS: dict[str, dict] = {
    **{kind: {"kind": kind} for kind in KINDS},
    **{f"bert-{mode}": {"pooling": mode} for mode in POOLINGS},
    "bert-two-poolings": {"pooling": ["cls", "mean"]},
    "bert-dense": {"dense": 16},
    "bert-unnormalized": {"normalize": False},
    "bert-prompts": {"prompts": PROMPTS},
    "bert-default-prompt": {"prompts": {"any": "bread: "}, "default_prompt": "any"},
    "roberta-no-length": {"kind": "roberta", "max_tokens": None},
}
INT8 = KINDS
STRAYED = "cache-strayed"
"""A cache whose int8 conversion was held to a bound that none can meet."""


def main(root: Path) -> None:
    """Make, convert and compute every variant."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    for name, options in VARIANTS.items():
        folder = make_model(root / "models" / name, **options)
        model = SentenceTransformer(str(folder), local_files_only=True)
        length = read_card(name, folder).max_tokens
        model.max_seq_length = min(model.max_seq_length, length)
        for task, encode in (("documents", model.encode_document), ("queries", model.encode_query)):
            vectors = encode(TEXTS, normalize_embeddings=True)
            np.save(root / f"{name}.{task}.npy", vectors, allow_pickle=False)
        for precision in ("fp32", "int8") if name in INT8 else ("fp32",):
            convert(folder, precision, root / "cache")
    export.INT8_FLOOR = 1.1
    convert(root / "models" / "bert", "int8", root / STRAYED)


def convert(folder: Path, precision: str, cache: Path) -> None:
    """Convert within this process, so that the heavy imports are paid once for all models."""
    info = describe(Embedder(model=str(folder)), cache, offline=True)
    place = place_of(cache, info.fingerprint, precision)
    with staging(place) as staged:
        keep(staged, place, export.convert(read_card(folder.name, folder), staged, precision))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

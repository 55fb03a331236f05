"""Run in a process of its own: makes tiny cross-encoders, converts them, and writes what torch computes.

`python cross_workshop.py FOLDER` leaves `FOLDER/models/KIND`, the conversions in `FOLDER/cache`, and
`FOLDER/KIND.npy` as sentence-transformers scores the pairs, without an activation.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from models import CORPUS, make_cross_encoder

from ragcli.embedders.convert import keep, place_of, staging
from ragcli.rerankers.cross_encoder import _fingerprint
from ragcli.rerankers.export import convert
from ragcli.rerankers.folder import read_pair_card

KINDS = ("bert", "roberta", "xlm-roberta")
QUESTION = "How high is the sea wall?"
PAIRS = [(QUESTION, text) for text in (*CORPUS, "", CORPUS[3] * 9)]


def main(root: Path) -> None:
    """Make, convert and compute every kind."""
    import torch
    from sentence_transformers import CrossEncoder

    torch.set_num_threads(1)
    for kind in KINDS:
        folder = make_cross_encoder(root / "models" / kind, kind)
        card = read_pair_card(kind, folder)
        for precision in ("fp32", "int8"):
            place = place_of(root / "cache", _fingerprint(card, root / "cache"), precision)
            with staging(place) as staged:
                keep(staged, place, convert(card, staged, precision))
        model = CrossEncoder(str(folder), local_files_only=True, max_length=card.max_tokens)
        scores = model.predict(PAIRS, activation_fn=torch.nn.Identity())
        np.save(root / f"{kind}.npy", scores, allow_pickle=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

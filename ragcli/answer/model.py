"""Small networks read from calibration.json: numpy does the arithmetic, nothing is trained here.

`benchmarks/calibrate_answers.py` fits them and writes the file, with what it was fitted on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

FILE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Network:
    """Standardised inputs, hidden layers with ReLU, one output that is a logit."""

    inputs: tuple[str, ...]
    mean: Matrix
    scale: Matrix
    layers: tuple[tuple[Matrix, Matrix], ...]

    def logits(self, rows: Matrix) -> Matrix:
        """Log odds for rows of shape (n, inputs); shape (n,)."""
        import numpy as np

        values = np.clip((rows - self.mean) / self.scale, -5, 5)
        for n, (weights, bias) in enumerate(self.layers):
            values = values @ weights + bias
            if n + 1 < len(self.layers):
                values = np.maximum(values, 0)
        return np.asarray(values[:, 0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted for hits with vectors, or for words alone.

    `sentence` tells how likely a candidate answers, `found` whether the best of them do at all;
    below the probability `threshold` nothing was found. `worth` is the share of probability per
    word from which a further sentence is quoted.
    """

    sentence: Network
    found: Network
    threshold: float
    worth: float


@lru_cache(maxsize=2)
def calibration(with_vectors: bool, file: Path = FILE) -> Calibration:
    """The fitted numbers; read once."""
    fitted = json.loads(file.read_text(encoding="utf-8"))[
        "with_vectors" if with_vectors else "words_only"
    ]
    return Calibration(
        _network(fitted["sentence"]),
        _network(fitted["found"]),
        fitted["threshold"],
        fitted["worth"],
    )


def probability(logits: Matrix) -> Matrix:
    """The logistic function."""
    import numpy as np

    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def _network(fitted: Mapping[str, Any]) -> Network:
    import numpy as np

    def matrix(values: Any) -> Matrix:
        return np.array(values, dtype=np.float32)

    return Network(
        tuple(fitted["inputs"]),
        matrix(fitted["mean"]),
        matrix(fitted["scale"]),
        tuple((matrix(weights), matrix(bias)) for weights, bias in fitted["layers"]),
    )

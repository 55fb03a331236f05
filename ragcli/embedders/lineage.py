"""What a tuned model's folder says about where it comes from, and the map for questions beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.embedders.info import EmbedderInfo

FACTS = "finetuning.json"
ADAPTER = "query_adapter.npy"


def tuned_from(folder: Path) -> str:
    """The fingerprint of the model that this one was tuned from; empty where it says nothing."""
    known = _facts(folder).get("base_fingerprint")
    return known if isinstance(known, str) else ""


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / FACTS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def own_adapter(info: EmbedderInfo) -> NDArray[np.float32] | None:
    """The map that a tuned model's own folder holds.

    Raises ModelError where it does not fit, or is gone though the model was measured with one.
    """
    if not (info.folder / ADAPTER).is_file():
        fitted = _facts(info.folder).get("map")
        if isinstance(fitted, dict) and fitted.get("strength"):
            raise ModelError(
                f"{info.folder} lacks {ADAPTER}, which the model was measured with.",
                "Fetch the model again, whole, or tune it again.",
            )
        return None
    return _read(info.folder, info, f"Take {ADAPTER} out of the folder, or tune the model again.")


def read_adapter(folder: Path, info: EmbedderInfo) -> NDArray[np.float32]:
    """The map in a folder, float32 (dimension, dimension).

    Raises ModelError when there is none, or it was fitted to the vectors of another model.
    """
    folder = folder.expanduser()
    fix = "Fit it again: ragcli finetune-embedder --mode adapter; or leave embedder.query_adapter out."
    fitted_to = _facts(folder).get("fingerprint")
    if fitted_to and fitted_to != info.fingerprint:
        raise _other_model(folder, info, fix)
    return _read(folder, info, fix)


def _read(folder: Path, info: EmbedderInfo, fix: str) -> NDArray[np.float32]:
    import numpy as np

    try:
        matrix = np.load(folder / ADAPTER, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"There is no map for questions in {folder}.", fix) from error
    shape = (info.dimension, info.dimension)
    if getattr(matrix, "dtype", None) != np.float32 or matrix.shape != shape:
        raise _other_model(folder, info, fix)
    if not np.isfinite(matrix).all():
        raise _other_model(folder, info, fix)
    return np.asarray(matrix, np.float32)


def _other_model(folder: Path, info: EmbedderInfo, fix: str) -> ModelError:
    return ModelError(
        f"The map in {folder} was fitted to the vectors of another model than {info.model}.", fix
    )

"""The losses by name: what rows each wants, which is chosen for which data. Torch is loaded on use.

References: Henderson et al. 2017 (multiple negatives), Gao et al. 2021 (cached), Solatorio 2024
(GIST), Su 2022 (CoSENT), Li and Li 2023 (AnglE), Hadsell et al. 2006 (contrastive), Schroff et al.
2015 (triplet), Kusupati et al. 2022 (Matryoshka).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from ragcli.errors import UsageError
from ragcli.finetune.material import Shape

Wants = Literal["ranked", "scored", "classes"]
LOSSES: dict[str, Wants] = {
    "mnrl": "ranked",
    "cached-mnrl": "ranked",
    "gist": "ranked",
    "cached-gist": "ranked",
    "triplet": "ranked",
    "cosent": "scored",
    "cosine": "scored",
    "angle": "scored",
    "contrastive": "scored",
    "online-contrastive": "scored",
    "batch-all-triplet": "classes",
}
CHOSEN: dict[Shape, str] = {
    "pairs": "mnrl",
    "triplets": "mnrl",
    "beir": "mnrl",
    "scored": "cosent",
    "labelled": "online-contrastive",
    "classes": "batch-all-triplet",
    "documents": "gist",
}
NEEDS_NEGATIVES = frozenset(LOSSES) - {"mnrl", "cached-mnrl", "gist", "cached-gist"}
GRADED = frozenset({"cosent", "cosine", "angle"})
"""The others want 0 or 1 for a label."""
SCALE = 20.0
MINI_BATCH = 16
TRIPLET_MARGIN = 0.3
"""For unit vectors: the library's default of 5 can never be reached by them."""


def refuse(name: str | None, sizes: Collection[int], dimension: int) -> None:
    """Raise UsageError for a loss that is not known, or sizes beyond those of the model's vectors."""
    if name is not None and name not in LOSSES:
        raise UsageError(f"There is no loss called {name!r}.", f"Known: {', '.join(LOSSES)}.")
    if max(sizes, default=0) > dimension:
        raise UsageError(
            f"--matryoshka {max(sizes)} is more than the {dimension} numbers of a vector of the model.",
            f"Give sizes of less than {dimension}.",
        )


def choose(name: str | None, shape: Shape) -> str:
    """The loss to use; every one takes every shape."""
    return CHOSEN[shape] if name is None else name


def build(name: str, model: Any, guide: Any, dimensions: list[int]) -> Any:
    """The loss as a torch module; `guide` is the untouched base for those that want one.

    With `dimensions` vectors cut to these count too, beside whole ones.
    """
    from sentence_transformers.sentence_transformer import losses as known
    from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric

    makers = {
        "mnrl": lambda: known.MultipleNegativesRankingLoss(model, scale=SCALE),
        "cached-mnrl": lambda: known.CachedMultipleNegativesRankingLoss(
            model, scale=SCALE, mini_batch_size=MINI_BATCH
        ),
        "gist": lambda: known.GISTEmbedLoss(model, guide, temperature=1 / SCALE),
        "cached-gist": lambda: known.CachedGISTEmbedLoss(
            model, guide, temperature=1 / SCALE, mini_batch_size=MINI_BATCH
        ),
        "triplet": lambda: known.TripletLoss(
            model, distance_metric=TripletDistanceMetric.COSINE, triplet_margin=TRIPLET_MARGIN
        ),
        "cosent": lambda: known.CoSENTLoss(model),
        "cosine": lambda: known.CosineSimilarityLoss(model),
        "angle": lambda: known.AnglELoss(model),
        "contrastive": lambda: known.ContrastiveLoss(model),
        "online-contrastive": lambda: known.OnlineContrastiveLoss(model),
        "batch-all-triplet": lambda: known.BatchAllTripletLoss(model, margin=TRIPLET_MARGIN),
    }
    loss = makers[name]()
    if not dimensions:
        return loss
    sizes = sorted({*dimensions, model.get_embedding_dimension()}, reverse=True)
    return known.MatryoshkaLoss(model, loss, sizes)

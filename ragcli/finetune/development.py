"""Measures a model within training: nDCG@10 of the development questions in a part of the corpus."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sentence_transformers.base.evaluation import BaseEvaluator

from ragcli.finetune.scores import Judge, ndcg
from ragcli.models.allocator import give_back

METRIC = "ndcg@10"
BATCH = 32
DEPTH = 20


class Development(BaseEvaluator):  # type: ignore[misc]
    """The evaluator that early stopping, the best checkpoint and the share of the blend go by."""

    def __init__(
        self, path: Path, document_prompt: str, query_prompt: str, precision: str = "fp32"
    ) -> None:
        super().__init__()
        held = json.loads(path.read_text(encoding="utf-8"))
        self._names = list(held["passages"])
        self._pieces: list[list[str]] = list(held["passages"].values())
        self._questions: dict[str, str] = held["questions"]
        self._relevant: dict[str, dict[str, int]] = held["relevant"]
        self._judge = Judge(held["apart"])
        self._prompts = (query_prompt, document_prompt)
        self._half = precision == "bf16"
        self.primary_metric = METRIC
        self.greater_is_better = True
        self.seconds = 0.0
        """Spent within training so far."""

    def __call__(self, model: Any, *_: Any, **__: Any) -> dict[str, float]:
        """`{"ndcg@10": value}`."""
        started = time.monotonic()
        value = self.measure(model)
        self.seconds += time.monotonic() - started
        return {METRIC: value}

    def measure(self, model: Any) -> float:
        """nDCG@10 of this model, as `Judge` counts it; the first that is measured is the base."""
        import torch

        # What steps left open would lie beside what is made here.
        give_back()
        names, asked = self._names, list(self._questions)
        query, document = self._prompts
        half = torch.autocast(model.device.type, torch.bfloat16, enabled=self._half)
        with torch.no_grad(), half:
            texts = [text for pieces in self._pieces for text in pieces]
            passages = _encode(model, texts, document)
            questions = _encode(model, list(self._questions.values()), query)
        owner = torch.tensor([at for at, texts in enumerate(self._pieces) for _ in texts])
        cosines = questions @ passages.T
        nearest = torch.full((len(asked), len(names)), -2.0, device=cosines.device)
        nearest.index_reduce_(1, owner.to(cosines.device), cosines, "amax")
        best = nearest.topk(min(DEPTH, len(names)), dim=1).indices.tolist()
        return self._judge(
            {
                id: ndcg([names[at] for at in row if names[at] != id], self._relevant[id])
                for id, row in zip(asked, best, strict=True)
            }
        )


def _encode(model: Any, texts: list[str], prompt: str) -> Any:
    return model.encode(
        texts,
        prompt=prompt,
        batch_size=BATCH,
        normalize_embeddings=True,
        convert_to_tensor=True,
        show_progress_bar=False,
    ).float()

"""Turns a recipe into the training child's order, with the rows and questions that it needs on disk."""

from __future__ import annotations

from pathlib import Path

from ragcli.errors import UsageError
from ragcli.finetune import conform, losses, training
from ragcli.finetune.negatives import mine
from ragcli.finetune.order import Order
from ragcli.finetune.recipe import Prepared, Recipe, Tools
from ragcli.models.cores import physical_cores

HARD_IN_POOL = 4
SMALL = 10_000
"""From this many examples on three epochs do; below, five."""


def order_of(ready: Prepared, recipe: Recipe, tools: Tools, loss: str) -> Order:
    """The order for the child; what the recipe leaves open is chosen by the data."""
    made = ready.material.shape == "documents"
    small = len(ready.parts.train) < SMALL
    steps = recipe.most_steps
    if made and steps < 0:
        steps = 300
    return Order(
        model=tools.base.model,
        folder=str(tools.base.folder),
        work=str(tools.work),
        rows=str(tools.work / "rows.jsonl"),
        development=str(tools.work / "development.json"),
        loss=loss,
        classes=losses.LOSSES[loss] == "classes",
        epochs=recipe.epochs or (5.0 if small else 3.0),
        most_steps=steps,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate or (1e-5 if made else 2e-5),
        patience=recipe.patience,
        seed=recipe.seed,
        threads=physical_cores(),
        precision=recipe.precision,
        document_prompt=tools.base.document_prompt,
        query_prompt=tools.base.query_prompt,
        matryoshka=list(recipe.matryoshka),
        lora=recipe.lora,
        shares=[0.25, 0.5] if made else [0.25, 0.5, 0.75, 1.0],
        resume=recipe.resume,
        log_to=list(recipe.log_to),
        curves=str(tools.curves),
        estimate=recipe.estimate,
    )


def write(ready: Prepared, recipe: Recipe, tools: Tools, order: Order) -> None:
    """Mine negatives, and leave rows and development questions for the child."""
    train = list(ready.parts.train)[: recipe.most_examples]
    progress = tools.scene.progress
    wants = recipe.negatives > 0 or order.loss in losses.NEEDS_NEGATIVES
    questions = {
        **(ready.asked(train) if wants else {}),
        **ready.asked(ready.parts.development),
    }
    progress.phase("Looking for hard negatives", len(questions))
    hard: dict[str, list[str]] = {}
    if losses.LOSSES[order.loss] != "classes":
        wanted = max(recipe.negatives, HARD_IN_POOL)
        hard = mine(ready.ground, ready.embedder, questions, wanted, recipe.seed, progress.advance)
    hard = {
        id: [name for name in names if name in ready.material.passages]
        for id, names in hard.items()
    }
    count = training.write_rows(
        Path(order.rows),
        conform.rows(ready.material, train, hard, order.loss, recipe.negatives, recipe.seed),
    )
    if count == 0:
        raise UsageError("No row is left to train on.", "Add examples.")
    training.write_development(
        Path(order.development), ready.material, ready.parts.development, hard, recipe.seed
    )

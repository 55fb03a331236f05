"""Turns a recipe into the training child's order, with the rows and questions that it needs on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.finetune import conform, losses, training
from ragcli.finetune.excerpts import as_searched, pieces
from ragcli.finetune.negatives import mine, nearest
from ragcli.finetune.order import Order
from ragcli.finetune.recipe import Prepared, Recipe, Tools
from ragcli.finetune.topics import topics
from ragcli.models.cores import physical_cores

LEAST_HARD = 4
"""More than one is mined: not each is in the data."""
FEW_BATCHES = 20
"""With fewer in an epoch, batches of a few topics would hold the same rows every time."""
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
    wanted = _wanted(ready, recipe, order.loss)
    hard: dict[str, list[str]] = {}
    if wanted and losses.LOSSES[order.loss] != "classes" and not ready.material.labels:
        lacking = [id for id, one in ready.asked(train).items() if len(one.refused) < wanted]
        hard = _mined(ready, tools, lacking, max(wanted, LEAST_HARD), recipe.seed)
    rows = conform.rows(ready.material, train, hard, order.loss, wanted, recipe.seed)
    if ready.ground.records and losses.LOSSES[order.loss] != "classes":
        rows = as_searched(rows, ready.ground, ready.embedder)
    found: dict[str, int] = {}
    ranked = losses.LOSSES[order.loss] == "ranked" and not ready.material.labels
    if ranked and len(train) >= FEW_BATCHES * order.batch:
        found = topics(_answers(ready, train), ready.ground, recipe.seed)
    if training.write_rows(Path(order.rows), rows, found) == 0:
        raise UsageError("No row is left to train on.", "Add examples.")
    questions = ready.asked(ready.parts.development)
    progress = tools.scene.progress
    progress.phase("Looking for what is near the development questions", len(questions))
    near = _known(ready, nearest(ready.ground, ready.embedder, questions, progress.advance))
    texts = [question.text for question in questions.values()]
    asked = ready.embedder.encode(texts, query=True)
    training.write_development(
        Path(order.development),
        ready.material,
        ready.parts,
        near,
        recipe.seed,
        lambda name: pieces(name, ready, asked),
    )


def _wanted(ready: Prepared, recipe: Recipe, loss: str) -> int:
    """Negatives in each row: as asked for, at least those that the loss or the data cannot do without."""
    own = ready.material.shape == "triplets" and losses.LOSSES[loss] == "ranked"
    return max(recipe.negatives, int(own or loss in losses.NEEDS_NEGATIVES))


def _answers(ready: Prepared, train: Iterable[str]) -> Iterator[str]:
    for question in ready.asked(train).values():
        yield from question.relevant


def _mined(
    ready: Prepared, tools: Tools, train: list[str], wanted: int, seed: int
) -> dict[str, list[str]]:
    progress = tools.scene.progress
    progress.phase("Looking for hard negatives", len(train))
    questions = ready.asked(train)
    return _known(
        ready, mine(ready.ground, ready.embedder, questions, wanted, seed, progress.advance)
    )


def _known(ready: Prepared, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Only passages of the data: the collection may hold more."""
    passages = ready.material.passages
    return {id: [name for name in names if name in passages] for id, names in found.items()}

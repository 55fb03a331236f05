"""One run of `finetune-embedder`, from data to a verdict. Never prints; is told whom to tell.

The user's collection is only read. What a run leaves is a folder with the tuned model, or nothing.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ragcli.errors import CollectionMissing, UsageError
from ragcli.finetune import conform, losses, pseudo, training
from ragcli.finetune.ground import Ground, Scene, embed_with, from_passages, holds, twin
from ragcli.finetune.loading import load
from ragcli.finetune.material import Material, Question
from ragcli.finetune.negatives import mine
from ragcli.finetune.order import Order
from ragcli.finetune.proof import Proof, Values, lines, measure, prove
from ragcli.finetune.split import Parts, split
from ragcli.index.collection import Collection
from ragcli.models.cores import physical_cores
from ragcli.registry import Plug, require

if TYPE_CHECKING:
    from ragcli.embedders import EmbedderInfo

NEEDS = Plug("ragcli.finetune.child", "finetune", ("datasets",))
HARD_IN_POOL = 4
MOST_GENERAL = 300
SMALL = 10_000
"""From this many examples on three epochs do; below, five."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. What is None is chosen by the data."""

    mode: Literal["full", "adapter"] = "full"
    loss: str | None = None
    epochs: float | None = None
    batch: int = 64
    learning_rate: float | None = None
    negatives: int = 0
    seed: int = 7
    matryoshka: tuple[int, ...] = ()
    lora: int = 0
    patience: int = 2
    most_steps: int = -1
    most_examples: int | None = None
    precision: str = "auto"
    questions: str = "all"
    log_to: tuple[str, ...] = ()
    resume: bool = False
    estimate: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run is given: the base embedder, a way to open another, folders, someone to tell."""

    scene: Scene
    base: EmbedderInfo
    embedder: Callable[[], Any]
    describe: Callable[[Path], EmbedderInfo]
    open: Callable[[Path], Any]
    collection: Callable[[], Collection]
    work: Path
    tell: Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What came of it; `staged` is the folder of what is to be kept, None where the base stays."""

    proof: Proof | None
    staged: Path | None
    reason: str
    told: dict[str, Any] = field(default_factory=dict)
    ground: Ground | None = None


@dataclass(slots=True)
class Prepared:
    """Data, corpus and parts of one run."""

    material: Material
    parts: Parts
    ground: Ground
    before: Values
    general: dict[str, Question]
    general_before: Values
    embedder: Any

    def asked(self, ids: Iterable[str]) -> dict[str, Question]:
        """Some of the questions."""
        return {id: self.material.questions[id] for id in ids}


def finetune(data: Path | None, recipe: Recipe, tools: Tools) -> Outcome:
    """Train and judge. Raises UsageError for data or choices that cannot work, ModelError,
    KeyboardInterrupt after an interrupt, with the last checkpoint kept for `resume`.
    """
    if recipe.mode == "full":
        require("--mode", "full", NEEDS)
    if not recipe.resume:
        shutil.rmtree(tools.work, ignore_errors=True)
    tools.work.mkdir(mode=0o700, parents=True, exist_ok=True)
    ready = prepare(data, recipe, tools)
    if recipe.mode == "adapter":
        from ragcli.finetune.adapting import adapt

        return adapt(ready, recipe, tools)
    return _full(ready, recipe, tools)


def prepare(data: Path | None, recipe: Recipe, tools: Tools) -> Prepared:
    """Read the data, open the corpus, split, measure the base."""
    if data is None:
        embedder = tools.embedder()
        ground = _own(tools, records=False)
        material = pseudo.from_collection(
            ground,
            embedder,
            recipe.seed,
            most=recipe.most_examples or pseudo.MOST,
            recipe=recipe.questions,
        )
        if len(material.questions) < 50:
            raise UsageError(
                f"Only {len(material.questions)} questions can be made from the collection.",
                "Give training data: ragcli finetune-embedder FILE.",
            )
        parts = _looked_at(material, recipe, tools)
    else:
        material = load(data)
        parts = _looked_at(material, recipe, tools)
        embedder = tools.embedder()
        ground = _corpus(material, tools, embedder)
    ready = Prepared(material, parts, ground, {}, {}, {}, embedder)
    tools.tell("Measuring the base on the held-out questions.")
    ready.before = _measure(ready, ready.asked(parts.test), embedder, tools)
    if data is not None:
        made = pseudo.from_collection(ground, embedder, recipe.seed, most=2 * MOST_GENERAL)
        ready.general = dict(list(pseudo.general(made, material.questions).items())[:MOST_GENERAL])
        ready.general_before = _measure(ready, ready.general, embedder, tools)
    return ready


def _own(tools: Tools, *, records: bool) -> Ground:
    with tools.collection() as collection:
        ground = twin(tools.work / "ground", collection, tools.scene, records=records)
    coverage = ground.collection.ledger.coverage()
    if coverage.embedded < coverage.chunks:
        embed_with(ground, tools.scene, tools.base, tools.embedder)
    return ground


def _corpus(material: Material, tools: Tools, embedder: Any) -> Ground:
    """The user's collection where it holds every document of the data, else one made of the data."""
    if material.corpus is not None:
        try:
            with tools.collection() as collection:
                known = holds(collection, set(material.passages))
        except CollectionMissing:
            known = False
        if known:
            tools.tell("The collection holds all documents of the data: it is the corpus.")
            return _own(tools, records=True)
    tools.tell(f"The corpus is the {len(material.passages)} passages of the data.")
    folder = tools.work / "ground"
    return from_passages(folder, material.passages, tools.scene, tools.base, lambda: embedder)


def _looked_at(material: Material, recipe: Recipe, tools: Tools) -> Parts:
    """Say what the data is and how it splits, before any time is spent."""
    _tell_data(material, tools)
    parts = split(material, recipe.seed)
    _tell_parts(parts, tools)
    return parts


def _tell_data(material: Material, tools: Tools) -> None:
    named = ", ".join(f"{role} = {column}" for role, column in material.columns.items())
    tools.tell(
        f"{material.name}: {material.shape}{f' ({named})' if named else ''},"
        f" {len(material.questions)} questions, {len(material.passages)} passages."
    )
    for note in material.notes:
        tools.tell(note)
    if material.misfits:
        tools.tell(f"{len(material.misfits)} rows do not fit and are left out:")
    for misfit in material.misfits:
        tools.tell(f"  {misfit}")


def _tell_parts(parts: Parts, tools: Tools) -> None:
    how = "by document" if parts.by_document else "by question: nearly all share documents"
    tools.tell(
        f"Split {how}: {len(parts.train)} questions to train, {len(parts.development)} to develop,"
        f" {len(parts.test)} to judge; the documents of {len(parts.seen)} of these are trained on"
        " too."
    )


def _measure(
    ready: Prepared, questions: Mapping[str, Question], embedder: Any, tools: Tools
) -> Values:
    return measure(ready.ground, embedder, questions, tools.scene.settings.retrieval)


def _full(ready: Prepared, recipe: Recipe, tools: Tools) -> Outcome:
    loss = losses.choose(recipe.loss, ready.material.shape)
    order = _order(ready, recipe, tools, loss)
    if not (recipe.resume and Path(order.rows).is_file()):
        _write(ready, recipe, tools, order)
    tools.tell(f"Training with {loss}, seed {recipe.seed}.")
    report = training.run(order, _listener(tools))
    if "interrupted" in report:
        raise KeyboardInterrupt
    if report.get("estimated"):
        return Outcome(None, None, "only the cost was asked for", dict(report), ready.ground)
    told = _told(ready, recipe, order, report)
    if report["share"] == 0:
        reason = "no share of the tuned weights is better on the development questions"
        return Outcome(None, None, reason, told, ready.ground)
    model = _finished(Path(order.work) / "model", tools)
    return _judged(ready, tools, model, told)


def _order(ready: Prepared, recipe: Recipe, tools: Tools, loss: str) -> Order:
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
        estimate=recipe.estimate,
    )


def _write(ready: Prepared, recipe: Recipe, tools: Tools, order: Order) -> None:
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


def _listener(tools: Tools) -> training.Listen:
    progress = tools.scene.progress
    seen = {"total": 0, "step": 0}

    def listen(said: dict[str, Any]) -> None:
        if "step" in said:
            if seen["total"] != said["steps"]:
                seen["total"] = said["steps"]
                progress.phase("Training", said["steps"])
            progress.advance(said["step"] - seen["step"])
            seen["step"] = said["step"]
        elif "evaluated" in said:
            where = "the base" if said.get("base") else f"step {said['evaluated']}"
            tools.tell(f"Development nDCG@10 of {where}: {said['ndcg']:.4f}")
        elif "note" in said:
            tools.tell(said["note"])

    return listen


def _told(ready: Prepared, recipe: Recipe, order: Order, report: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": ready.material.name,
        "shape": ready.material.shape,
        "examples": len(ready.parts.train),
        "misfits": len(ready.material.misfits),
        "recipe": {
            "loss": order.loss,
            "epochs": order.epochs,
            "batch": order.batch,
            "learning_rate": order.learning_rate,
            "negatives": recipe.negatives,
            "seed": order.seed,
            "lora": order.lora,
        },
        "training": report,
    }


def _finished(model: Path, tools: Tools) -> Path:
    from ragcli.finetune import publish

    publish.restore_base_files(model, tools.base.folder)
    publish.keep_prompts(model, tools.base.folder)
    publish.keep_config(model, tools.base.folder)
    return model


def _judged(ready: Prepared, tools: Tools, model: Path, told: dict[str, Any]) -> Outcome:
    """Embed the corpus with the tuned model, ask the test questions again, decide."""
    info = tools.describe(model)
    started = time.monotonic()
    tuned = tools.open(model)
    tools.tell("Embedding the corpus with the tuned model.")
    embed_with(ready.ground, tools.scene, info, lambda: tuned)
    after = _measure(ready, ready.asked(ready.parts.test), tuned, tools)
    proof = prove(ready.before, after, ready.parts.seen)
    if ready.general:
        from ragcli.evaluate.paired import compare

        again = _measure(ready, ready.general, tuned, tools)
        proof.general = compare(ready.general_before["dense"], again["dense"])
        proof.general_set = "questions made from documents that no example is about"
    told |= {"proof": proof.as_json(), "proof_seconds": round(time.monotonic() - started, 1)}
    for line in lines(proof):
        tools.tell(line)
    kept = model if proof.better else None
    return Outcome(proof, kept, proof.reason, told, ready.ground)

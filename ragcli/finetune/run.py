"""One run of `finetune-embedder`, from data to a verdict. Never prints; is told whom to tell.

The user's collection is only read. What a run leaves is a folder with the tuned model, or nothing.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.errors import UsageError
from ragcli.finetune import afterwards, losses, ordering, publish, training, workplace
from ragcli.finetune.adapting import adapt, put_on_top
from ragcli.finetune.ground import embed_with
from ragcli.finetune.order import Order
from ragcli.finetune.preparing import prepare
from ragcli.finetune.proof import lines, prove
from ragcli.finetune.recipe import Outcome, Prepared, Recipe, Tools
from ragcli.registry import Plug, require

if TYPE_CHECKING:
    from ragcli.embedders import EmbedderInfo

NEEDS = Plug("ragcli.finetune.child", "finetune", ("datasets",))
LORA = Plug("ragcli.finetune.child", "finetune", ("peft",))
LOGS = {
    "tensorboard": Plug("ragcli.finetune.child", "finetune", ("tensorboardX",)),
    "wandb": Plug("ragcli.finetune.child", None, ("wandb",)),
}
MAPPED = ("pairs", "triplets", "beir")
"""Shapes whose questions people asked: what was made is unlike them, and a map would learn that."""


def finetune(data: Path | None, recipe: Recipe, tools: Tools) -> Outcome:
    """Train and judge. Raises UsageError for data or choices that cannot work, ModelError,
    KeyboardInterrupt after an interrupt, with the last checkpoint kept for `resume`.
    """
    _refuse(recipe, tools.base)
    workplace.begin(data, recipe, tools.work)
    try:
        ready = prepare(data, recipe, tools)
    except UsageError:
        if not recipe.resume:
            workplace.forget(tools.work)  # a run that never began is none to go on with
        raise
    try:
        if recipe.mode == "adapter":
            return adapt(ready, recipe, tools)
        return _full(ready, recipe, tools)
    finally:
        ready.close()


def _refuse(recipe: Recipe, base: EmbedderInfo) -> None:
    """Raise UsageError for choices that cannot work, before any data is read."""
    if recipe.resume and recipe.restart:
        raise UsageError("--resume goes on, --restart begins anew.", "Leave out one of them.")
    if recipe.estimate and recipe.mode == "adapter":
        raise UsageError("--estimate is for --mode full.", "Leave it out: a map takes seconds.")
    if recipe.estimate and recipe.resume:
        raise UsageError("--estimate says what a whole run costs.", "Leave out --resume.")
    losses.refuse(recipe.loss, recipe.matryoshka, base.dimension)
    if recipe.mode == "full":
        require("--mode", "full", NEEDS)
        if recipe.lora:
            require("--lora", str(recipe.lora), LORA)
        for name in recipe.log_to:
            require("--log-to", name, LOGS[name])


def _full(ready: Prepared, recipe: Recipe, tools: Tools) -> Outcome:
    loss = losses.choose(recipe.loss, ready.material.shape)
    order = ordering.order_of(ready, recipe, tools, loss)
    order = replace(
        order, afterwards=afterwards.expect(ready, mapped=ready.material.shape in MAPPED)
    )
    if not (recipe.resume and Path(order.rows).is_file()):
        ordering.write(ready, recipe, tools, order)
    tools.tell(f"Training with {loss}, seed {recipe.seed}.")
    report = training.run(order, _listener(tools))
    if "interrupted" in report:
        raise KeyboardInterrupt
    if report.get("estimated"):
        return Outcome(None, None, "only the cost was asked for", dict(report))
    told = _told(ready, recipe, order, report)
    if report["share"] == 0:
        reason = "no share of the tuned weights is better on the development questions"
        return Outcome(None, None, reason, told)
    return _judged(ready, recipe, tools, _finished(Path(order.work) / "model", tools), told)


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
    publish.restore_base_files(model, tools.base.folder)
    publish.keep_prompts(model, tools.base.folder)
    publish.keep_config(model, tools.base.folder)
    return model


def _judged(
    ready: Prepared, recipe: Recipe, tools: Tools, model: Path, told: dict[str, Any]
) -> Outcome:
    """Embed the corpora with the tuned model, ask the test questions again, decide."""
    info, tuned = tools.describe(model), tools.open(model)
    retrieval = tools.scene.settings.retrieval
    started = time.monotonic()
    tools.tell("Embedding the corpus with the tuned model.")
    for ground in ready.grounds:
        embed_with(ground, tools.scene, info, lambda: tuned)
    if ready.material.shape in MAPPED:
        tuned, told["map"] = put_on_top(ready, tuned, model, recipe, tools)
    elif ready.embedder.adapter is not None:
        tools.tell("The map for questions of the base is not taken over.")
    proof = prove(ready.before, ready.measure(tuned, retrieval), ready.seen)
    if ready.probe:
        proof.general, proof.general_set = ready.probe.again(tuned, retrieval), ready.probe.name
    told |= {"proof": proof.as_json(), "proof_seconds": round(time.monotonic() - started, 1)}
    for line in lines(proof):
        tools.tell(line)
    return Outcome(proof, model if proof.better else None, proof.reason, told)

"""Before training: reads the data, opens the corpus, splits, measures the base. Says what it finds."""

from __future__ import annotations

from pathlib import Path

from ragcli.errors import CollectionMissing, UsageError
from ragcli.evaluate import reading
from ragcli.finetune import forgetting, pseudo
from ragcli.finetune.ground import Ground, embed_with, from_passages, holds, twin
from ragcli.finetune.jury import GOOD, Jury, refuse_few, summon
from ragcli.finetune.loading import load
from ragcli.finetune.material import Material
from ragcli.finetune.recipe import Prepared, Recipe, Tools
from ragcli.finetune.split import Parts, split

FEWEST_MADE = 50


def prepare(data: Path | None, recipe: Recipe, tools: Tools) -> Prepared:
    """All that training and proof need. Raises UsageError for data that cannot work."""
    general = forgetting.read(recipe.general) if recipe.general else None
    judges = reading.load(recipe.judge) if recipe.judge else None
    if judges:
        refuse_few(judges, judges.items)
        tools.collection().close()
    ready = _from_data(data, recipe, tools) if data else _from_collection(recipe, tools)
    if judges:
        ground = ready.ground if ready.own else _own(tools, "judging", records=False)
        ready.jury = summon(judges, ground, ready.material, ready.parts, tools.warn)
        _tell_jury(ready.jury, judges.name, tools)
    elif not data:
        tools.tell(f"Made questions are easy: with {GOOD} real ones, --judge SET says more.")
    tools.tell("Measuring the base on the held-out questions.")
    retrieval = tools.scene.settings.retrieval
    ready.before = ready.measure(ready.embedder, retrieval)
    if general:
        tools.tell(f"Measuring the base on the general questions of {general.name}.")
        ready.probe = forgetting.given(
            general, tools.work / "general", tools.scene, tools.base, lambda: ready.embedder
        )
    elif data:
        ready.probe = forgetting.made(
            ready.ground, ready.embedder, ready.material, recipe.seed, retrieval
        )
    if ready.probe is None or not ready.probe.questions:
        ready.probe = None
        tools.warn(
            "What the tuned model forgets will not be measured: no question can be made that is about"
            " other documents. Ask general ones of your own: --general SET."
        )
    return ready


def _from_data(data: Path, recipe: Recipe, tools: Tools) -> Prepared:
    material = load(data)
    parts = _looked_at(material, recipe, tools)
    embedder = tools.embedder()
    if _is_whole(material, tools):
        tools.tell("The collection holds all documents of the data: it is the corpus.")
        ground = _own(tools, "ground", records=True)
        return Prepared(material, parts, ground, {}, None, embedder, own=True)
    tools.tell(f"The corpus is the {len(material.passages)} passages of the data.")
    ground = from_passages(
        tools.work / "ground", material.passages, tools.scene, tools.base, lambda: embedder
    )
    return Prepared(material, parts, ground, {}, None, embedder)


def _from_collection(recipe: Recipe, tools: Tools) -> Prepared:
    embedder = tools.embedder()
    ground = _own(tools, "ground", records=False)
    most = recipe.most_examples or pseudo.MOST
    material = pseudo.from_collection(
        ground, embedder, recipe.seed, most=most, recipe=recipe.questions
    )
    if len(material.questions) < FEWEST_MADE:
        raise UsageError(
            f"Only {len(material.questions)} questions can be made from the collection.",
            "Give training data: ragcli finetune-embedder FILE.",
        )
    parts = _looked_at(material, recipe, tools)
    return Prepared(material, parts, ground, {}, None, embedder, own=True)


def _own(tools: Tools, folder: str, *, records: bool) -> Ground:
    """A copy of the user's collection, with the vectors of the base."""
    with tools.collection() as collection:
        ground = twin(tools.work / folder, collection, tools.scene, records=records)
    coverage = ground.collection.ledger.coverage()
    if coverage.embedded < coverage.chunks:
        embed_with(ground, tools.scene, tools.base, tools.embedder)
    return ground


def _is_whole(material: Material, tools: Tools) -> bool:
    """Whether the user's collection holds every document of the data."""
    if material.corpus is None:
        return False
    try:
        with tools.collection() as collection:
            return holds(collection, set(material.passages))
    except CollectionMissing:
        return False


def _looked_at(material: Material, recipe: Recipe, tools: Tools) -> Parts:
    """Say what the data is and how it splits, before any time is spent."""
    _tell_data(material, tools)
    parts = split(material, recipe.seed, judged=recipe.judge is not None)
    _tell_parts(parts, tools, judged=recipe.judge is not None)
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
        tools.warn(f"{len(material.misfits)} rows do not fit and are left out:")
    for misfit in material.misfits:
        tools.warn(str(misfit))


def _tell_jury(jury: Jury, name: str, tools: Tools) -> None:
    if jury.told_apart:
        about = f"{len(jury.seen)} of them are about documents that are trained on."
    else:
        about = (
            "whether they are about what is trained on cannot be told:"
            " the data has no column document."
        )
    tools.tell(f"{len(jury.items)} questions of {name} judge; {about}")


def _tell_parts(parts: Parts, tools: Tools, *, judged: bool) -> None:
    how = "by document" if parts.by_document else "by question: many share documents"
    counts = f"{len(parts.train)} questions to train, {len(parts.development)} to develop"
    if judged:
        tools.tell(f"Split {how}: {counts}.")
        return
    tools.tell(
        f"Split {how}: {counts}, {len(parts.test)} to judge; the documents of {len(parts.seen)} of"
        " these are trained on"
        " too."
    )

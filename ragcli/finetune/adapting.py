"""`--mode adapter`: fits a map for the vectors of questions and judges it; no document is embedded.

Also fits one on top of tuned weights, where it is a part of the model's folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.embedders.lineage import ADAPTER
from ragcli.errors import UsageError
from ragcli.finetune import classes
from ragcli.finetune.adapter import Fitted, fit, ranking_score
from ragcli.finetune.ground import Ground
from ragcli.finetune.material import Question
from ragcli.finetune.proof import lines, prove
from ragcli.finetune.recipe import Outcome

if TYPE_CHECKING:
    import numpy as np

    from ragcli.finetune.recipe import Prepared, Recipe, Tools

READ = 10_000
Facts = dict[str, Any]


def adapt(ready: Prepared, recipe: Recipe, tools: Tools) -> Outcome:
    """Fit on the training questions, choose on the development ones, judge on the test ones."""
    import numpy as np

    fitted = fit_to(ready, ready.embedder, recipe.most_examples)
    if fitted is None:
        raise UsageError("No training question has an answer in the corpus.", "Add examples.")
    told: dict[str, Any] = {
        "data": ready.material.name,
        "shape": ready.material.shape,
        "examples": len(ready.parts.train),
        "recipe": {"mode": "adapter", "strength": fitted.strength, "seed": recipe.seed},
        "fingerprint": tools.base.fingerprint,
        "training": _facts(fitted),
    }
    tools.tell(f"Fitted the map in {fitted.seconds:.1f} s.")
    if fitted.strength is None:
        reason = "no map is better than none on the development questions"
        return Outcome(None, None, reason, told)
    adapted = ready.embedder.mapped(fitted.matrix)
    retrieval = tools.scene.settings.retrieval
    proof = prove(ready.before, ready.measure(adapted, retrieval), ready.seen)
    if ready.probe:
        proof.general, proof.general_set = ready.probe.again(adapted, retrieval), ready.probe.name
    told["proof"] = proof.as_json()
    for line in lines(proof):
        tools.tell(line)
    staged = tools.work / "adapter"
    staged.mkdir(exist_ok=True)
    np.save(staged / ADAPTER, adapted.adapter, allow_pickle=False)
    return Outcome(proof, staged if proof.better else None, proof.reason, told)


def put_on_top(
    ready: Prepared, tuned: Any, folder: Path, recipe: Recipe, tools: Tools
) -> tuple[Any, Facts]:
    """Tuned weights with a map where that helps, left in their folder; what was fitted."""
    import numpy as np

    fitted = fit_to(ready, tuned, recipe.most_examples)
    if fitted is None or fitted.strength is None:
        tools.tell("A map for questions on top of the tuned weights does not help.")
        return tuned, _facts(fitted) if fitted else {}
    tools.tell(f"A map for questions on top of the tuned weights has strength {fitted.strength:g}.")
    mapped = tuned.mapped(fitted.matrix)
    np.save(folder / ADAPTER, mapped.adapter, allow_pickle=False)
    return mapped, _facts(fitted)


def _facts(fitted: Fitted) -> Facts:
    return {
        "strength": fitted.strength,
        "seconds": fitted.seconds,
        "base": fitted.base,
        "best": fitted.best,
    }


def fit_to(ready: Prepared, embedder: Any, most: int | None) -> Fitted | None:
    """The map for the first `most` questions of a run, whose corpus has the vectors of this embedder.

    None where no answer has a vector.
    """
    names, vectors = stored(ready.ground)
    rows: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        rows.setdefault(name, []).append(at)
    ids = ready.parts.train[:most]
    train = classes.beside(ready.material, ids) if ready.material.labels else ready.asked(ids)
    first, second = _pairs(embedder, train.values(), rows, vectors)
    held = list(ready.asked(ready.parts.development).values())
    apart = [at for at, id in enumerate(ready.parts.development) if id in ready.parts.apart]
    if not len(first) or not held:
        return None
    asked = embedder.encode([question.text for question in held], query=True)
    score = ranking_score(asked, [question.relevant for question in held], vectors, names, apart)
    return fit(first, second, score)


def stored(ground: Ground) -> tuple[list[str], np.ndarray]:
    """The passage of each vector of the corpus, and the vectors, float16 (n, dimension)."""
    import numpy as np

    keys = sorted(ground.names)
    found = list[str]()
    stored = np.empty((0, 0), np.float16)
    for start in range(0, len(keys), READ):
        there, vectors = ground.collection.ledger.vectors(keys[start : start + READ])
        if not stored.size:
            stored = np.empty((len(keys), vectors.shape[1]), np.float16)
        stored[len(found) : len(found) + len(there)] = vectors
        found += [ground.names[key] for key in there]
    return found, stored[: len(found)]


def _pairs(
    embedder: Any, questions: Iterable[Question], rows: dict[str, list[int]], vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the questions and, for each, that of the answer's nearest chunk."""
    import numpy as np

    known = [
        (question, there)
        for question in questions
        if (there := [row for name in question.relevant for row in rows.get(name, ())])
    ]
    first = embedder.encode([question.text for question, _ in known], query=True)
    nearest = [
        there[int((vectors[there].astype(np.float32) @ vector).argmax())]
        for (_, there), vector in zip(known, first, strict=True)
    ]
    return np.asarray(first, np.float32), vectors[nearest].astype(np.float32)

"""Run in a process of its own: trains a tiny model in every way, and prints what came of each as JSON.

`python training_workshop.py FOLDER` so that torch, and its imports, are paid for once.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import make_model

from ragcli.finetune import conform, training
from ragcli.finetune.loading import load
from ragcli.finetune.losses import LOSSES
from ragcli.finetune.order import Order
from ragcli.finetune.split import split

ASKED = ("harbour", "river", "bridge", "bread", "library", "tide", "sand", "steel")
ANSWERED = ("master", "delta", "storm", "flour", "books", "log", "year", "concrete")
SHAPES = ("pairs", "triplets", "scored", "labelled", "classes")
CHOICE = {"pairs": "mnrl", "triplets": "mnrl", "scored": "cosent"}


class Quiet:
    def say(self, **fields: object) -> None:
        pass


class Noting(Quiet):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def say(self, **fields: object) -> None:
        self.notes += [str(fields["note"])] if "note" in fields else []


class Never:
    asked = False


def rows(shape: str, count: int = 70) -> list[dict]:
    """Questions in some words, answered by passages in other words: word by word a translation."""
    draw = random.Random(1)
    made = []
    for number in range(count):
        words = draw.sample(range(len(ASKED)), 3)
        others = draw.sample(range(len(ASKED)), 3)
        asked = " ".join(ASKED[at] for at in words) + f" {number}"
        right = " ".join(ANSWERED[at] for at in words) + f" and {number}"
        wrong = " ".join(ANSWERED[at] for at in others) + f" or {number}"
        if shape == "pairs":
            made.append({"question": asked, "context": right})
        elif shape == "triplets":
            made.append({"anchor": asked, "positive": right, "negative": wrong})
        elif shape == "classes":
            made.append({"text": asked, "label": str(words[0] % 4)})
        else:
            value = number % 2
            score = {"label": value} if shape == "labelled" else {"score": 0.9 * value}
            made.append({"sentence1": asked, "sentence2": right if value else wrong, **score})
    return made


def order(root: Path, shape: str, loss: str, name: str, **options: object) -> Order:
    """Everything on disk that the child needs."""
    data = root / f"{shape}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows(shape)))
    material = load(data)
    parts = split(material, 1)
    work = root / name
    work.mkdir()
    training.write_rows(
        work / "rows.jsonl", conform.rows(material, parts.train, {}, loss, 1, seed=1)
    )
    training.write_development(work / "dev.json", material, parts, {}, 1)
    settings: dict = {"batch": 8, "epochs": 1, "learning_rate": 1e-3, "precision": "fp32"}
    return Order(
        model="tiny",
        folder=str(root / "base"),
        work=str(work),
        rows=str(work / "rows.jsonl"),
        development=str(work / "dev.json"),
        loss=loss,
        classes=LOSSES[loss] == "classes",
        **{**settings, **options},
    )


def weights(folder: Path) -> dict:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def far(first: Path, second: Path) -> float:
    """The largest difference between two models."""
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    return max(float(abs(one[name] - two[name]).max()) for name in one)


def cut_apart(base: Path) -> dict[str, list[float]]:
    """How far vectors and gradients are from those of one pass, for slices kept and computed again."""
    import torch

    from ragcli.finetune import slices
    from ragcli.finetune.trainer import load as open_model

    model = open_model(str(base), cuda=False)
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    features = model.preprocess([" ".join(ASKED[:count]) for count in (3, 8, 1, 5, 8, 2)])

    def passed(tokens: int, room: float) -> tuple[torch.Tensor, torch.Tensor]:
        slices.SLICE_TOKENS["cpu"], model.room = tokens, room
        model.begin_step()
        model.train()
        model.zero_grad()
        vectors = model(dict(features))["sentence_embedding"]
        (vectors @ vectors.T).exp().sum().backward()
        grads = [one.grad.flatten() for one in model.parameters() if one.grad is not None]
        return vectors.detach().clone(), torch.cat(grads)

    usual = slices.SLICE_TOKENS["cpu"]
    whole = passed(10**6, float("inf"))
    cuts = {"kept": passed(16, float("inf")), "some": passed(16, 30), "again": passed(16, 0)}
    slices.SLICE_TOKENS["cpu"] = usual
    return {
        name: [float((one - two).abs().max()) for one, two in zip(cut, whole, strict=True)]
        for name, cut in cuts.items()
    }


def refused(root: Path) -> str:
    """What is said where next to no memory is free."""
    from ragcli.errors import ModelError
    from ragcli.finetune.cost import refuse
    from ragcli.finetune.trainer import make

    run = make(order(root, "pairs", "mnrl", "refused"), Quiet(), Never())
    refuse(run, 10**9)
    try:
        refuse(run, 1000)
    except ModelError as error:
        return error.message
    return ""


def sizes(root: Path) -> list[int]:
    """What vectors are cut to in training where 16 was asked for."""
    from ragcli.finetune.trainer import make

    run = make(order(root, "pairs", "mnrl", "sizes", matryoshka=[16]), Quiet(), Never())
    return list(run.trainer.loss.matryoshka_dims)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often unused memory is given back by steps, and by measurements."""
    from ragcli.finetune import development, slices

    found: Counter[str] = Counter()
    usual = slices.give_back
    slices.give_back = lambda: found.update(["steps"])
    development.give_back = lambda: found.update(["measurements"])
    try:
        yield found
    finally:
        slices.give_back = development.give_back = usual


def main(root: Path) -> None:
    """Train each loss on each shape, then with an interrupt, LoRA, Matryoshka and prompts."""
    from ragcli.finetune.child import train

    root.mkdir(exist_ok=True)
    make_model(root / "base")
    told: dict = {"trained": {}, "cut": cut_apart(root / "base"), "refused": refused(root)}
    told["sizes"] = sizes(root)
    first_notes, later_notes = Noting(), Noting()
    for shape in SHAPES:
        for loss in LOSSES:
            told["trained"][f"{shape} {loss}"] = train(
                order(root, shape, loss, f"{shape}-{loss}", most_steps=2, evaluations=1),
                Quiet(),
                Never(),
            )
    long = {"epochs": 6, "patience": 9, "shares": [1.0], "learning_rate": 1e-2}
    with counted() as tidied:
        whole = order(root, "pairs", "mnrl", "whole", **long, afterwards=600.0)
        told["whole"] = train(whole, first_notes, Never())
    told["tidied"] = dict(tidied)
    first = order(root, "pairs", "mnrl", "parts", **long, stop_after=11)
    told["stopped"] = train(first, Quiet(), Never())
    again = replace(first, stop_after=0, resume=True)
    told["resumed"] = train(again, later_notes, Never())
    told["foretold"] = [first_notes.notes[0], later_notes.notes[0]]
    # A rate of nothing learns nothing: patience ends at the third measurement.
    still = {"most_steps": 12, "evaluations": 6, "patience": 2, "learning_rate": 1e-30}
    one = order(root, "pairs", "mnrl", "patient", **still)
    two = order(root, "pairs", "mnrl", "patient-parts", **still, stop_after=5)
    train(two, Quiet(), Never())
    for name, last_order in (
        ("still", one),
        ("still resumed", replace(two, stop_after=0, resume=True)),
    ):
        told[name] = train(last_order, Quiet(), Never())
    last = f"checkpoints/checkpoint-{told['whole']['steps']}"
    told["apart"] = far(root / "whole" / last, root / "parts" / last)
    told["moved"] = far(root / "whole" / "model", root / "base")
    for name, options in (("lora", {"lora": 4}), ("matryoshka", {"matryoshka": [16]})):
        told[name] = train(
            order(root, "pairs", "mnrl", name, **{**long, **options}), Quiet(), Never()
        )
        told[f"{name} moved"] = far(root / name / "model", root / "base")
    told["files"] = sorted(path.name for path in (root / "whole").rglob("*") if path.is_file())
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Fits the numbers of ragcli/answer/calibration.json on train questions of SQuAD.

    python benchmarks/calibrate_answers.py --squad DIR --data DIR

ingests the passages into a collection below --data (nothing to do the second time), asks a few
thousand train questions as the program would, and fits for hits with vectors, and for words
alone: how likely each sentence answers, whether the chosen ones do, from which probability to
answer, and what a further sentence must be worth. Each question is asked twice: as it is, and
with its passage (and near copies that hold the answer) taken from the hits. A share of the
questions and hits is disguised (see disguises.py), and a share of the searches made in one mode
only, so that the numbers hold there too. Nothing of the data set is kept.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from answer_sets import SEED, Item, also_answers, contains, passages, squad
from disguises import disguised, reworded
from fitting import Lists, Net, at_threshold, fit, worth_of

from ragcli.answer.candidates import Candidate, candidates
from ragcli.answer.features import WITH_VECTORS, WORDING, WORDS_ONLY, features
from ragcli.answer.model import FILE
from ragcli.answer.score import FOUND, summarise
from ragcli.answer.words import Question, question
from ragcli.embedders import build
from ragcli.index.collection import Collection
from ragcli.retrieve.options import Mode, RetrievalOptions
from ragcli.retrieve.search import search_many
from ragcli.settings import Settings
from ragcli.types import Hit

DEEP = 24
SIZES = (4, 4, 4, 4, 8, 2, 1)
MODES: tuple[Mode, ...] = ("hybrid", "hybrid", "hybrid", "hybrid", "hybrid", "lexical", "dense")
FOLDS = 2
MOST = 3
THRESHOLD = 0.5
ANSWERABLE = 2 / 3
"""The share of questions that the documents answer when people ask, as assumed; in what is fitted it
is about a half. The fitted odds are shifted by it, and then an answer is given at even odds."""


@dataclass(slots=True)
class Example:
    """A question and the hits that it was given; `gold` is its passage, None where taken away."""

    item: Item
    asked: Question
    hits: list[Hit]
    gold: str | None
    found: list[Candidate]


def examples(
    collection: Collection, embedder: Any, items: Sequence[Item], folder: Path
) -> Iterator[Example]:
    """Two examples for each item: its hits as they are, and without its passage."""
    chance = random.Random(SEED)
    texts = passages(folder)
    for mode in dict.fromkeys(MODES):
        chosen = [item for n, item in enumerate(items) if MODES[n % len(MODES)] == mode]
        words = [reworded(item.question, chance) for item in chosen]
        retrieval = Settings().retrieval.model_copy(update={"mode": mode, "top_k": DEEP})
        options = RetrievalOptions.of(retrieval)
        results = search_many(collection, lambda: embedder, words, options)
        for item, text, result in zip(chosen, words, results, strict=True):
            size, gold = chance.choice(SIZES), item.passage
            others = [hit for hit in result.hits if not _answers(hit, item, texts[gold])]
            for some, passage in ((result.hits, gold), (others, None)):
                kept = disguised(some[:size], gold, text, chance)
                yield Example(item, question(text), kept, passage, candidates(kept))


def _answers(hit: Hit, item: Item, gold: str) -> bool:
    return hit.chunk.doc_id == item.passage or also_answers(hit.chunk.text, item, gold)


def embedded(embedder: Any, made: Sequence[Example], cache: Path) -> dict[str, Any]:
    """The vectors of all questions and candidates by text; kept in `cache` for the next time."""
    texts = {one.text for example in made for one in example.found}
    texts |= {example.asked.text for example in made}
    keys = {text: blake2b(text.encode(), digest_size=12).hexdigest() for text in texts}
    known: dict[str, Any] = {}
    if cache.exists():
        with np.load(cache) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    new = sorted(text for text, key in keys.items() if key not in known)
    for start in range(0, len(new), 2048):
        print(f"embedding {start} of {len(new)}", flush=True)
        batch = new[start : start + 2048]
        vectors = embedder.encode(batch).astype(np.float16)
        known.update(zip((keys[text] for text in batch), vectors, strict=True))
    if new:
        np.savez(cache, keys=np.array(list(known)), vectors=np.array(list(known.values())))
    return {text: known[key] for text, key in keys.items()}


def listed(made: Sequence[Example], vectors: dict[str, Any] | None) -> Lists:
    """The features of all examples with what is right in each.

    A sentence of the passage that holds an answer is right. One of another passage that does is
    neither right nor wrong, and not learned from.
    """
    rows, right, held, places = [], [], [], []
    for example in made:
        pair = None
        if vectors is not None and example.found:
            own = np.array([vectors[one.text] for one in example.found], dtype=np.float32)
            pair = (vectors[example.asked.text].astype(np.float32), own)
        rows.append(features(example.asked, example.hits, example.found, pair))
        holds = np.array(
            [contains(one.text, example.item.answers) for one in example.found], dtype=bool
        )
        home = np.array(
            [example.hits[one.hit].chunk.doc_id == example.gold for one in example.found],
            dtype=bool,
        )
        right.append(holds & home)
        held.append(holds)
        places.append(np.array([one.words.count for one in example.found]))
    names = WORDS_ONLY if vectors is None else WITH_VECTORS
    return Lists(names, rows, right, held, places)


def fold_of(example: Example) -> int:
    """The fold of an example: that of its article."""
    return random.Random(example.item.article).randrange(FOLDS)


def calibrated(made: Sequence[Example], vectors: dict[str, Any] | None) -> dict[str, Any]:
    """The entry of calibration.json for hits with vectors, or for words alone."""
    lists = listed(made, vectors)
    folds = np.array([fold_of(example) for example in made])
    odds: list[Any] = [None] * len(made)
    for fold in range(FOLDS):
        net = fit(lists.only(folds != fold), hidden=48, epochs=14)
        for n in np.flatnonzero(folds == fold):
            odds[n] = net.logits(lists.rows[n])
    answerable = np.array(
        [
            example.gold is not None and right.any()
            for example, right in zip(made, lists.right, strict=True)
        ]
    )
    worth, curve = worth_of(lists, odds, answerable, MOST)
    summaries, labels, kept = summarised(made, lists, odds, worth)
    decided = Lists((*FOUND, *WORDING), summaries, labels, labels, labels)
    held_out = np.zeros(len(kept))
    for fold in range(FOLDS):
        net = fit(decided.only(folds[kept] != fold), hidden=16, epochs=8)
        for n in np.flatnonzero(folds[kept] == fold):
            held_out[n] = net.logits(summaries[n])[0]
    answered = np.array([label[0] for label in labels])
    shift = math.log(ANSWERABLE / (1 - ANSWERABLE)) - math.log(
        answered.mean() / (1 - answered.mean())
    )
    figures = at_threshold(held_out, shift, answerable[kept], answered)
    print({"worth": worth, "shift": shift, **figures}, flush=True)
    return {
        "sentence": entry(fit(lists, hidden=48, epochs=14)),
        "found": entry(shifted(fit(decided, hidden=16, epochs=8), shift)),
        "threshold": THRESHOLD,
        "worth": worth,
        "on_train_folds": {"lengths": curve, **figures},
    }


def summarised(
    made: Sequence[Example], lists: Lists, odds: Sequence[Any], worth: float
) -> tuple[list[Any], list[Any], list[int]]:
    """What decides whether anything was found, with whether the chosen sentences answered.

    Left out: lists in which only another passage holds the answer's words, by chance or rightly.
    """
    summaries, labels, kept = [], [], []
    for n, example in enumerate(made):
        if not example.found:
            continue
        chosen = lists.chosen(n, odds[n], worth, MOST)
        if lists.held[n][chosen].any() and not lists.right[n][chosen].any():
            continue
        kept.append(n)
        labels.append(np.array([lists.right[n][chosen].any()]))
        summaries.append(summarise(odds[n], lists.rows[n], example.found, example.hits)[None, :])
    return summaries, labels, kept


def shifted(net: Net, shift: float) -> Net:
    """The network with `shift` added to the log odds that it returns."""
    *hidden, (weights, bias) = net.layers
    return replace(net, layers=(*hidden, (weights, bias + shift)))


def entry(net: Net) -> dict[str, Any]:
    """A network as JSON, rounded: nothing depends on the fifth digit."""

    def rounded(values: Any) -> Any:
        return np.round(np.asarray(values, dtype=float), 4).tolist()

    layers = [[rounded(weights), rounded(bias)] for weights, bias in net.layers]
    return {
        "inputs": list(net.inputs),
        "mean": rounded(net.mean),
        "scale": rounded(net.scale),
        "layers": layers,
    }


def main() -> None:
    """Ingest, ask, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--squad", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--data", type=Path, required=True, help="data directory of the collection")
    parser.add_argument("--questions", type=int, default=8000)
    arguments = parser.parse_args()
    corpus = arguments.squad / "passages.jsonl"
    ingest = [
        sys.executable,
        "-m",
        "ragcli",
        "ingest",
        str(corpus),
        "--data-dir",
        str(arguments.data),
    ]
    subprocess.run(ingest, check=True)
    settings = Settings()
    embedder = build(settings.embedder, arguments.data / "cache", offline=True)
    items = squad(arguments.squad, "train", arguments.questions)
    with Collection.open(arguments.data, "default", settings) as collection:
        made = list(examples(collection, embedder, items, arguments.squad))
    vectors = embedded(embedder, made, arguments.data / "answers.npz")
    fitted = {
        "fitted_on": f"{len(items)} train questions of SQuAD 1.1, each with and without its passage"
        f" among the hits; embedder {embedder.info.model}; benchmarks/calibrate_answers.py",
        "with_vectors": calibrated(made, vectors),
        "words_only": calibrated(made, None),
    }
    FILE.write_text(json.dumps(fitted) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

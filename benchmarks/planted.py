"""Sentences as a model might write them about real passages: honest ones, and ones with a planted fault.

The passages are those of SQuAD (see answer_sets.py): the one that answers and three more of its
article, as retrieval would show them. A fault is planted into an honest sentence of any kind.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import statements
from answer_sets import Item, also_answers, contains, normal

from ragcli.answer.facts import figures, names
from ragcli.documents.sentences import sentences
from ragcli.types import Hit, Span, StoredChunk

SHOWN = 4
UNCITED = 0.15
"""Share of the sentences that a model leaves without a citation."""
HONEST = (
    "quoted",
    "statement",
    "reordered",
    "shortened",
    "resolved",
    "merged",
    "reworded",
    "loose",
    "short",
)
FAULTS = ("wrong number", "wrong name", "swapped citation", "invented sentence")
BESIDE = ("negated", "opposite", "names exchanged")
"""Faults that are measured too, though every name and figure stands in the passage."""


_PAIRS_TEXT = (
    "before after, first last, increased decreased, more fewer, largest smallest, larger smaller, "
    "higher lower, highest lowest, north south, northern southern, east west, eastern western, "
    "early late, earlier later, oldest youngest, most least, above below, began ended, won lost, "
    "rose fell, with without, always never, old new, best worst, day week, days weeks, month year, "
    "months years, major minor, public private, inside outside, longer shorter, better worse, "
    "maximum minimum, left joined, male female, accepted rejected, allowed forbidden"
)
_OPPOSITES: dict[str, list[str]] = defaultdict(list)
for _one, _other in (pair.split() for pair in _PAIRS_TEXT.split(",")):
    _OPPOSITES[_one].append(_other)
    _OPPOSITES[_other].append(_one)


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence about shown passages (positions are cited, none for no citation), and what it is."""

    said: str
    cited: tuple[int, ...]
    kind: str
    base: str
    supported: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the passages shown for it, and sentences that answer it well or badly."""

    item: Item
    hits: list[Hit]
    written: list[Written]


class Articles:
    """Passages by article."""

    def __init__(self, texts: dict[str, str], items: Sequence[Item]) -> None:
        self.texts = texts
        self.of: dict[str, list[str]] = defaultdict(list)
        for key in texts:
            self.of[key.rsplit("#", 1)[0]].append(key)
        self.items = items

    def shown(self, item: Item, rng: random.Random) -> list[str]:
        """The passage that answers and those of its article most like the question, shuffled."""
        gold = self.texts[item.passage]
        words = set(normal(f"{item.question} {gold}").split())
        others = [
            key
            for key in self.of[item.article]
            if key != item.passage and not also_answers(self.texts[key], item, gold)
        ]
        others.sort(key=lambda key: -len(words & set(normal(self.texts[key]).split())))
        chosen = [item.passage, *others[: SHOWN - 1]]
        rng.shuffle(chosen)
        return chosen

    def elsewhere(self, item: Item, shown: Sequence[str], rng: random.Random) -> str:
        """A passage of the same article that is not shown, or of another article where there is none."""
        rest = [key for key in self.of[item.article] if key not in shown]
        return self.texts[rng.choice(rest or list(self.texts))]


def cases(items: Sequence[Item], texts: dict[str, str], seed: int) -> Iterator[Case]:
    """Each question with honest sentences and as many faults."""
    articles = Articles(texts, items)
    for item in items:
        rng = random.Random(f"{seed} {item.id}")
        keys = articles.shown(item, rng)
        if len(keys) < SHOWN:
            continue
        made = _Case(item, keys, articles, rng)
        written = made.written()
        if written:
            yield Case(item, made.hits, written)


class _Case:
    def __init__(self, item: Item, keys: list[str], articles: Articles, rng: random.Random) -> None:
        self.item, self.keys, self.articles, self.rng = item, keys, articles, rng
        self.title = item.article.replace("_", " ")
        self.hits = [hit(key, articles.texts[key], self.title, n) for n, key in enumerate(keys)]
        self.gold = keys.index(item.passage)
        self.text = articles.texts[item.passage]
        self.all = [self.text[a:b] for a, b in sentences(self.text)]
        self.source = self._source()

    def _source(self) -> int | None:
        words = set(normal(self.item.question).split())
        fitting = [n for n, one in enumerate(self.all) if contains(one, self.item.answers)]
        return max(
            fitting, key=lambda n: len(words & set(normal(self.all[n]).split())), default=None
        )

    def written(self) -> list[Written]:
        if self.source is None:
            return []
        honest = {
            kind: said
            for kind, said in self._honest()
            if said is not None and 1 <= len(said.split()) <= 60
        }
        out = [Written(said, self._cites(), kind, kind, True) for kind, said in honest.items()]
        kinds = [kind for kind in honest if kind != "short"]
        for fault, plant in self._faults().items():
            if not kinds:
                continue
            bases = [*kinds, "short"] if fault in FAULTS else kinds
            base = self.rng.choice(bases)
            said = plant(honest.get(base, ""))
            if said is not None:
                cited = self._other() if fault == "swapped citation" else self._cites()
                if cited is not None:
                    out.append(Written(said, cited, fault, base, False))
        return out

    def _honest(self) -> Iterator[tuple[str, str | None]]:
        at = self.source or 0
        source = self.all[at]
        answer = min(self.item.answers, key=len)
        yield "quoted", source
        yield "statement", statements.statement(self.item.question, answer, source)
        yield "reordered", statements.reordered(source)
        yield "shortened", statements.shortened(source)
        pronouns = [said for one in self.all if (said := statements.resolved(one, self.title))]
        yield "resolved", self.rng.choice(pronouns) if pronouns else None
        if len(self.all) > 1:
            first = min(at, len(self.all) - 2)
            yield "merged", statements.merged(self.all[first], self.all[first + 1], self.rng)
        yield "reworded", statements.reworded(source, self.rng)
        statement = statements.statement(self.item.question, answer, source)
        yield "loose", statements.loosened(self.rng.choice([source, statement or source]), self.rng)
        yield "short", answer[0].upper() + answer[1:] + "."

    def _cites(self) -> tuple[int, ...]:
        return () if self.rng.random() < UNCITED else (self.gold,)

    def _other(self) -> tuple[int, ...] | None:
        others = [
            n
            for n in range(len(self.hits))
            if n != self.gold and not contains(self.hits[n].chunk.text, self.item.answers)
        ]
        return (self.rng.choice(others),) if others else None

    def _faults(self) -> dict[str, Callable[[str], str | None]]:
        return {
            "wrong number": self._wrong_number,
            "wrong name": self._wrong_name,
            "swapped citation": lambda said: said or None,
            "invented sentence": lambda said: self._invented(),
            "negated": self._negated,
            "opposite": self._opposite,
            "names exchanged": self._exchanged,
        }

    def _wrong_number(self, said: str) -> str | None:
        numbers = list(re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|[.,]\d)", said))
        if not numbers:
            return None
        chosen = self.rng.choice(numbers)
        true = {figure.value for figure in figures(" ".join(self.all))}
        mine = {figure.value for figure in figures(" ".join([said, self.all[self.source or 0]]))}
        near = [number for number in self._numbers() if figures(number)[0].value not in mine]
        alike = [n for n in near if len(n) == len(chosen[0])] or near
        if alike and self.rng.random() < 0.5:
            new = self.rng.choice(alike)
        else:
            new = _changed(chosen[0], self.rng, true)
        return said[: chosen.start()] + new + said[chosen.end() :]

    def _numbers(self) -> list[str]:
        shown = " ".join(hit.chunk.text for hit in self.hits)
        return re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|[.,]\d)", shown)

    def _wrong_name(self, said: str) -> str | None:
        title = normal(self.title).split()
        mine = [run for run in name_runs(said) if not set(normal(run).split()) & set(title)]
        if not mine:
            return None
        chosen = self.rng.choice(mine)
        where = self.rng.choice(["passage", "shown", "elsewhere"])
        text = {
            "passage": " ".join(s for n, s in enumerate(self.all) if n != self.source),
            "shown": " ".join(h.chunk.text for n, h in enumerate(self.hits) if n != self.gold),
            "elsewhere": self.articles.texts[self.rng.choice(list(self.articles.texts))],
        }[where]
        known = normal(
            f"{self.all[self.source or 0]} {said} {self.title} {self.item.question}"
        ).split()
        others = [run for run in name_runs(text) if not set(normal(run).split()) & set(known)]
        if not others:
            return None
        return said.replace(chosen, self.rng.choice(others), 1)

    def _invented(self) -> str | None:
        text = self.articles.elsewhere(self.item, self.keys, self.rng)
        found = [text[a:b] for a, b in sentences(text)]
        found = [one for one in found if 6 <= len(one.split()) <= 40]
        if not found:
            return None
        one = self.rng.choice(found)
        made = [
            statements.resolved(one, self.title),
            statements.shortened(one),
            statements.reworded(one, self.rng),
        ]
        made = [said for said in made if said]
        return self.rng.choice(made) if made and self.rng.random() < 0.5 else one

    def _negated(self, said: str) -> str | None:
        if re.search(r"\b(?:not|no|never|n't)\b", said):
            return None
        match = re.search(r"\b(?:was|were|is|are|has|have|had|can|could|will|would)\b", said)
        return said[: match.end()] + " not" + said[match.end() :] if match else None

    def _opposite(self, said: str) -> str | None:
        words = re.split(r"(\W+)", said)
        places = [n for n, word in enumerate(words) if word in _OPPOSITES]
        if not places:
            return None
        at = self.rng.choice(places)
        words[at] = self.rng.choice(_OPPOSITES[words[at]])
        return "".join(words)

    def _exchanged(self, said: str) -> str | None:
        runs = name_runs(said)
        if len(runs) < 2 or re.search(r"(?:and|,) " + re.escape(runs[1]), said):
            return None
        one, other = runs[0], runs[-1]
        if one in other or other in one:
            return None
        return said.replace(one, "\0").replace(other, one).replace("\0", other)


def hit(key: str, text: str, title: str, n: int) -> Hit:
    """A passage as a hit of retrieval."""
    chunk = StoredChunk(
        n, key, n, 0, text, (), (Span(0),), len(text.split()), f"{title}.md", "markdown",
        title, None, None, "line", {},
    )  # fmt: skip
    return Hit(chunk, 0.5)


def name_runs(text: str) -> list[str]:
    """Names as they stand, first and last name together."""
    single = set(names(text))
    runs = re.findall(r"[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*)*", text)
    found: list[str] = []
    for run in runs:
        current: list[str] = []
        for word in [*run.split(), ""]:
            plain = re.sub(r"['’]s$|[.'’-]+$", "", word)
            if plain and plain[0].isupper() and plain in single:
                current.append(plain)
            elif current:
                found.append(" ".join(current))
                current = []
    return [run for run in dict.fromkeys(found) if run in text]


def _changed(number: str, rng: random.Random, true: Iterable[Any]) -> str:
    """A number of the same length that stands nowhere in the passage."""
    known = set(true)
    while True:
        digits = list(number)
        places = [n for n, digit in enumerate(digits) if digit.isdigit()]
        at = rng.choice(places[-2:])
        digits[at] = rng.choice("123456789".replace(digits[at], ""))
        made = "".join(digits)
        found = figures(made)
        if found and found[0].value not in known:
            return made
        number = made

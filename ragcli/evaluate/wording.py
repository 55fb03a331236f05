"""How near the words of an answer are to those of an accepted one; 0 to 1, the best accepted one counts.

Exact match and token F1 as in SQuAD (Rajpurkar et al. 2016): case, punctuation and articles aside.
ROUGE-L is rouge-score's F-measure with stems (Lin 2004), BLEU is sacrebleu's for one sentence, case aside
(Papineni et al. 2002; Post 2018), divided by 100.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from ragcli.registry import Plug, require

NEEDS = Plug("ragcli.evaluate.wording", "evaluate", ("rouge_score", "sacrebleu"))

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_MARKER = re.compile(r"\s*\[\d+\]")

Compare = Callable[[str, str], float]


def plain(text: str) -> str:
    """An answer without the markers of its citations."""
    return _MARKER.sub("", text)


def normal(text: str) -> str:
    """The text as SQuAD compares it."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact(said: str, accepted: str) -> float:
    """1 where both are the same."""
    return float(normal(said) == normal(accepted))


def token_f1(said: str, accepted: str) -> float:
    """The harmonic mean of the shares of words that the two have in common."""
    ours, theirs = normal(said).split(), normal(accepted).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


def comparisons() -> dict[str, Compare]:
    """The measures of words by name; loads what computes them. Raises MissingExtra."""
    require("measure", "answers", NEEDS)
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

    rouge = RougeScorer(["rougeL"], use_stemmer=True)
    bleu = BLEU(effective_order=True, lowercase=True)
    return {
        "Exact match": exact,
        "F1": token_f1,
        "ROUGE-L": lambda said, accepted: float(rouge.score(accepted, said)["rougeL"].fmeasure),
        "BLEU": lambda said, accepted: bleu.sentence_score(said, [accepted]).score / 100,
    }


def best(compare: Compare, said: str, accepted: Sequence[str]) -> float:
    """The value for the accepted answer that is nearest."""
    return max((compare(said, one) for one in accepted), default=0.0)

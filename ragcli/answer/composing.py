"""Follows a model while it writes: numbers citations as they are used, checks each sentence, marks it.

Text is handed on as early as nothing can change it any more, so an answer that is streamed and one
that is not are the same. The beginning is held back while it may still be a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ragcli.answer.check import Verdict
from ragcli.answer.claims import CITED, Claim, cited, read, settled, spans
from ragcli.answer.refusals import claims, may_refuse, refuses
from ragcli.answer.result import Sentence
from ragcli.answer.sentences import Unit, units

UNSUPPORTED = " [unsupported]"

Check = Callable[[Claim], Verdict]


@dataclass(slots=True)
class Used:
    """A passage that the answer cites: the ranges of its text relied on, and whether for good reason."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    supported: bool = False


class Composer:
    """Takes an answer in pieces; `text`, `sentences` and `used` (by passage position) are the result.

    `on_text` is told each stretch of the final text in order. `asked` are the stems of the question.
    """

    def __init__(
        self,
        check: Check,
        passages: int,
        asked: Sequence[str],
        on_text: Callable[[str], None] | None = None,
    ) -> None:
        self._check = check
        self._passages = passages
        self._asked = frozenset(asked)
        self._on_text = on_text
        self._raw = ""
        self._done = 0
        self._shown = 0
        self._answering = False
        self.refusal = ""
        self.text = ""
        self.sentences: list[Sentence] = []
        self.used: dict[int, Used] = {}
        self._numbers: dict[int, int] = {}

    def feed(self, piece: str) -> None:
        """More of what the model writes."""
        self._raw += piece
        self._advance(settled(self._raw), last=False)

    def finish(self) -> None:
        """The model is done."""
        self._raw = self._raw.rstrip()
        self._advance(len(self._raw), last=True)
        if not self._answering and not self.refusal:
            self.refusal = self._raw.strip()

    def _advance(self, end: int, *, last: bool) -> None:
        if self.refusal:
            return
        # From the beginning each time: where a sentence ends depends on what stands before it.
        found = spans(self._raw[:end])[self._done :]
        if not self._answering:
            self._answering = self._begins(found, last=last)
        for n, (first, stop) in enumerate(found if self._answering else []):
            self._show(first, stop)
            if last or n + 1 < len(found):
                self._conclude(read(self._raw[first:stop]))
                self._done += 1
                self._shown = stop

    def _begins(self, found: Sequence[tuple[int, int]], *, last: bool) -> bool:
        """Whether it is certain that this answers; a refusal, once complete, ends everything."""
        for n, (start, end) in enumerate(found):
            claim = read(self._raw[start:end])
            complete = last or n + 1 < len(found)
            if complete and refuses(claim.said, cited=bool(claim.cited)):
                self.refusal = claim.said
                return False
            if not may_refuse(claim.said) or (complete and claims(claim.said, self._asked)):
                return True
        return False

    def _show(self, start: int, end: int) -> None:
        if self.text and start > self._shown:
            self._say(_tidy(self._raw[self._shown : start]))
        stretch = self._raw[max(self._shown, start) : end]
        self._say(CITED.sub(lambda match: self._marker(match[0]), stretch))
        self._shown = max(self._shown, end)

    def _marker(self, marker: str) -> str:
        known = [n - 1 for n in dict.fromkeys(cited(marker)) if 1 <= n <= self._passages]
        space = marker[: len(marker) - len(marker.lstrip())]
        return space + "".join(f"[{self.number(at)}]" for at in known) if known else ""

    def number(self, at: int) -> int:
        """The number in the text of the passage at this position, counted as they are used."""
        return self._numbers.setdefault(at, len(self._numbers) + 1)

    def _conclude(self, claim: Claim) -> None:
        known = [n - 1 for n in claim.cited if 1 <= n <= self._passages]
        if not claims(claim.said, self._asked):
            self._keep(claim, known, None)
            return
        verdict = self._check(claim)
        if verdict.supported and not known:
            known = list(dict.fromkeys(piece.one.hit for piece in verdict.rests_on))
            self._say(" " + "".join(f"[{self.number(at)}]" for at in known))
        if not verdict.supported:
            self._say(UNSUPPORTED)
        self._keep(claim, known, verdict)

    def _keep(self, claim: Claim, passages: Sequence[int], verdict: Verdict | None) -> None:
        for at in passages:
            used = self.used.setdefault(at, Used())
            used.supported = used.supported or verdict is None or verdict.supported
            used.ranges += [
                (piece.one.unit.start, piece.one.unit.end)
                for piece in (verdict.rests_on if verdict else [])
                if piece.one.hit == at
            ]
        numbers = [self.number(at) for at in passages]
        supported = verdict.supported if verdict else None
        reason = verdict.reason if verdict else None
        chance = verdict.chance if verdict else None
        self.sentences.append(Sentence(claim.said, numbers, supported, reason, chance))

    def _say(self, text: str) -> None:
        self.text += text
        if text and self._on_text is not None:
            self._on_text(text)


def quoted(text: str, ranges: Sequence[tuple[int, int]]) -> tuple[str, int, int]:
    """The ranges of a text as one quote, with where it begins and ends; ` … ` for what is left out."""
    if not ranges:
        first = units(text)[0] if text.strip() else Unit(0, len(text), "sentence")
        ranges = [(first.start, first.end)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(set(ranges)):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return " … ".join(text[start:end] for start, end in joined), joined[0][0], joined[-1][1]


def _tidy(gap: str) -> str:
    lines = gap.count("\n")
    return "\n" * min(lines, 2) if lines else " " * bool(gap)

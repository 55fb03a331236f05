"""Tells when a model says that the documents do not answer, and when a sentence claims nothing at all."""

from __future__ import annotations

import re
from collections.abc import Collection

from ragcli.answer.english import STOP
from ragcli.answer.prompts import NOT_FOUND
from ragcli.answer.words import read

OPENING = 8
"""Words within which a refusal shows that it may be one."""

_SIGNS = re.compile(
    r"\b(?:no|not|none|nothing|neither|nor|without|lacks?|unable|cannot|unknown|unclear|unfortunately"
    r"|sorry|apologi[sz]e|insufficient|fails?|impossible"
    r"|documents?|passages?|contexts?|texts?|excerpts?|sources?|materials?|information|answers?"
    r"|question|provided|given|based)\b|n['’]t\b",
    re.IGNORECASE,
)
_THEM = (
    r"(?:documents?|passages?|contexts?|texts?|excerpts?|sources?|materials?|information|details?"
    r"|(?:knowledge|data) ?base|content)"
)
_NOT = r"(?:do(?:es)?|did|is|are|was|were|has|have|can|could) ?(?:not|n['’]t)|cannot|never"
_SAY = (
    r"(?:say|state|mention|contain|include|provide|answer|specify|give|tell|discuss|address|cover"
    r"|indicate|describe|explain|reveal|offer|have|hold|list|name|refer|touch|clarify|disclose|detail"
    r"|enough|sufficient|stated|mentioned|provided|specified|given|found|available|answered|included"
    r"|contained|discussed|covered|described|indicated|known|present|addressed|clear|listed|explicit"
    r"|possible|determine|explicitly|directly)"
)
_REFUSALS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_THEM}\b(?: \w+){{0,8}}? (?:{_NOT})(?: \w+){{0,3}}? {_SAY}\b",
        rf"\b(?:{_NOT})(?: \w+){{0,3}}? {_SAY}\b(?: \w+){{0,8}}?"
        rf" (?:in|by|from|within) (?:\w+ ){{0,4}}?{_THEM}\b",
        rf"\b(?:no|none of the|neither)\b(?: \w+){{0,6}}? {_THEM}\b(?: \w+){{0,12}}? "
        rf"{_SAY[:-1]}|says?|states?|mentions?|contains?|provides?|answers?|specif(?:y|ies)|gives?)\b",
        r"\b(?:there(?:['’]s| is| are| was)|i (?:see|find|found|have)) (?:no|not enough|insufficient|nothing)\b"
        rf"(?: \w+){{0,6}}? {_THEM}\b|\bthere(?:['’]s| is) (?:no (?:mention|answer)|nothing)\b",
        r"\bi(?: am|['’]m)?(?: \w+){0,2} (?:not able|unable|do ?n['’o]t|can ?not|ca ?n['’]t|could ?n['’o]t)"
        r"(?: \w+){0,3} (?:know|answer|find|determine|tell|say|locate|provide)\b",
        r"\b(?:i|we) (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t)(?: \w+){0,2}"
        r" (?:know|answer|find|determine|tell|say|locate|provide)\b",
        r"\b(?:unable|impossible|not possible) to (?:\w+ )?(?:answer|determine|find|say|tell)\b",
        r"\b(?:the )?(?:answer|question)(?: \w+){0,3}? (?:cannot|can not|can['’]t|could not) be"
        r" (?:answered|determined|found|given)\b",
        r"\b(?:it|that|this)(?: is|['’]s| was) not (?:\w+ )?(?:stated|specified|mentioned|given|known|clear"
        r"|said|provided|possible to)\b",
        r"^(?:not (?:stated|mentioned|specified|found|available|provided|given|known|in)|unknown"
        r"|no (?:answer|information|mention|relevant)|n/a|i don['’]t know)\b",
    )
]  # fmt: skip
_TURNS = re.compile(r"[,;]? (?:but|however|though|although|except|yet)\b|[;:–—]\s", re.IGNORECASE)
_BARE = re.compile(r"(?:yes|no)\W*", re.IGNORECASE)
_ABOUT_ITSELF = frozenset(
    read(
        "documents passages contexts texts excerpts sources materials information question answers "
        "summary summarize conclusion conclude following according based provided given mentioned "
        "stated says states hope helps note overall short details above list listed key points "
        "relevant here sure certainly course yes no references citations cited quoted asked asks "
        "passage source find found know feel free let questions further brief"
    ).stems
)


def refuses(said: str, *, cited: bool = False) -> bool:
    """Whether a sentence says that the documents do not answer, and nothing beside.

    One that is `cited` and gives a number tells something of the world.
    """
    if said.casefold().rstrip(" .!") == NOT_FOUND.casefold().rstrip("."):
        return True
    if not may_refuse(said, complete=True) or (cited and read(said).numbers):
        return False
    match = next((found for one in _REFUSALS if (found := one.search(said))), None)
    return match is not None and not _TURNS.search(said, match.end())


def may_refuse(beginning: str, *, complete: bool = False) -> bool:
    """Whether a sentence of which this is the beginning may still turn out to be a refusal."""
    words = beginning.split()
    if len(words) <= OPENING and not complete:
        return True
    return _SIGNS.search(" ".join(words[:OPENING])) is not None


def claims(said: str, asked: Collection[str] = ()) -> bool:
    """Whether a sentence claims anything of the world: not a question, a lead-in, a courtesy.

    `asked` are the stems of the question: to repeat it claims nothing.
    """
    if said.endswith(("?", "？")):
        return False
    words = read(said)
    if words.numbers or _BARE.fullmatch(said):
        return True
    content = set(words.stems) - _ABOUT_ITSELF - STOP
    leads = said.endswith((":", "：")) or bool(set(words.stems) & _ABOUT_ITSELF)
    return bool(content - set(asked) if leads else content)

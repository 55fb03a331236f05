"""What the answering room knows of English: function words, endings, and signs of what is asked. Data only."""

from __future__ import annotations

import re
from typing import Literal

Asks = Literal[
    "person", "date", "duration", "number", "place", "reason", "manner", "thing", "other"
]

_STOP_TEXT = (
    "a about above after again all also although am an and any are as at be because been before "
    "being below between both but by can cannot could did do does doing done down during each "
    "either else ever few for from further get got had has have having he her here hers him his how "
    "i if in into is it its itself just kind let lot made make many may me might more most much "
    "must my near no nor not of off often on once one only or other others our out over own please "
    "quite rather same shall she should since so some such tell than that the their them then there "
    "these they thing this those though through to too two type under until up upon us use used "
    "using very via was we were what when where whether which while who whom whose why will with "
    "within without would yet you your explain describe list show find give name happen happened "
    "become became called known mean refer"
)
STOP = frozenset(_STOP_TEXT.split())
_NUMBER_WORDS_TEXT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "twenty thirty forty fifty hundred thousand million billion trillion half third quarter dozen "
    "percent once twice several first second"
)
NUMBER_WORDS = frozenset(_NUMBER_WORDS_TEXT.split())
ENDINGS = (
    ("ational", "ate"), ("ization", "ize"), ("isation", "ize"), ("fulness", "ful"),
    ("ements", "e"), ("ement", "e"), ("ments", ""), ("ment", ""), ("ations", "ate"),
    ("ation", "ate"), ("ities", "ity"), ("ions", ""), ("ion", ""), ("ies", "y"), ("ied", "y"),
    ("ings", ""), ("ing", ""), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"),
    ("ers", "er"), ("ed", ""), ("es", "e"), ("ly", ""), ("s", ""),
)  # fmt: skip
"""Endings and what stands in their place in a stem; the first that fits is taken."""

_IRREGULAR_TEXT = (
    "arise arose arisen, bear bore born borne, become became, begin began begun, bind bound, "
    "blow blew blown, break broke broken, bring brought, build built, burn burnt, buy bought, "
    "catch caught, choose chose chosen, come came, deal dealt, draw drew drawn, drink drank drunk, "
    "drive drove driven, eat ate eaten, fall fell fallen, feed fed, feel felt, fight fought, "
    "find found, flee fled, fly flew flown, forbid forbade forbidden, forget forgot forgotten, "
    "freeze froze frozen, give gave given, go went gone, grow grew grown, hear heard, hide hid hidden, "
    "hold held, keep kept, know knew known, lay laid, lead led, leave left, lend lent, lose lost, "
    "mean meant, meet met, pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, "
    "say said, see saw seen, seek sought, sell sold, send sent, shake shook shaken, shine shone, "
    "shoot shot, show shown, shrink shrank shrunk, sing sang sung, sink sank sunk, sit sat, sleep slept, "
    "speak spoke spoken, spend spent, spring sprang sprung, stand stood, steal stole stolen, "
    "stick stuck, strike struck, swear swore sworn, swim swam swum, take took taken, teach taught, "
    "tear tore torn, tell told, think thought, throw threw thrown, understand understood, wake woke, "
    "wear wore worn, win won, withdraw withdrew withdrawn, write wrote written, man men, "
    "woman women, child children, foot feet, mouse mice, life lives, wife wives, leaf leaves"
)
IRREGULAR = {
    form: base
    for base, *forms in (line.split() for line in _IRREGULAR_TEXT.split(","))
    for form in forms
}
"""Irregular forms and the word that they are a form of."""

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
)


def _any(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


QUESTIONS: tuple[tuple[Asks, re.Pattern[str]], ...] = (
    ("date", _any(
        r"\b(?:when|(?:what|which) (?:year|years|date|day|month|century|decade|time|era))\b")),
    ("duration", _any(r"\bhow (?:long|old|often|soon)\b|\bwhat age\b")),
    ("number", _any(
        r"\bhow (?:many|much|far|tall|high|deep|big|large|fast|wide|heavy)\b"
        r"|\bwhat (?:percent(?:age)?|number|portion|population|temperature|size|price|cost|amount"
        r"|fraction|port|limit|default)\b")),
    ("person", _any(
        r"\b(?:who|whom|whose)\b|\b(?:what|which) (?:person|man|woman|actor|author|king|queen"
        r"|president|scientist|artist|singer|philosopher|emperor|general|architect|leader|company"
        r"|team|group|band)\b")),
    ("place", _any(
        r"\bwhere\b|\b(?:what|which) (?:country|countries|city|cities|state|place|region|town"
        r"|continent|river|island|province|location|nation|area|folder|directory|file)\b")),
    ("reason", _any(
        r"\bwhy\b|\bwhat (?:is|was|were|are) the (?:reason|cause|purpose)\b|\bwhat caused\b")),
    ("manner", _any(r"\bhow\b")),
    ("thing", _any(r"\b(?:what|which)\b")),
)  # fmt: skip
"""What a question asks for, by its words; the first that fits is taken."""

FOCUS = _any(r"\b(?:what|which|how many|how much)\s+((?:[^\W\d_]+\s+){0,2}[^\W\d_]+)")
"""The words after the question word, among them the noun that the answer is an instance of."""

DATE = _any(
    rf"\b(?:1\d{{3}}|20\d\d)s?\b|\b(?:{_MONTHS})\b\.? ?\d{{1,2}}|\d ?(?:{_MONTHS})\b"
    r"|\bcentur(?:y|ies)\b|\b\d+ ?(?:bc|ad|bce|ce)\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d ?[ap]\.?m\b"
    r"|\b\d{1,2}:\d\d\b|\b(?:noon|midday|midnight|dawn|dusk|sunrise|sunset|o['’]clock|half past)\b"
)
DURATION = _any(
    r"(?:\d|\b(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|several|every|each|per)\b)"
    r"[ -](?:\w+ )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centuries)\b"
    r"|\b(?:daily|weekly|monthly|yearly|annual(?:ly)?|hourly|age|aged|ages)\b|\b\d+ ?m?s\b"
)
REASON = _any(
    r"\b(?:because|due to|in order to|so that|since|as a result|owing to|reasons?|caused?|causes"
    r"|thanks to|led to|therefore|thus"
    r"|to (?:avoid|prevent|allow|ensure|protect|make|keep|reduce|help))\b"
)
MANNER = _any(r"\b(?:by|through|via|using|with|run|set|use|call|add|must|can)\b")
PLACE = re.compile(r"\b(?:in|at|near|from|to|on|of) (?:the )?[A-Z]")
LEANING = _any(
    r"[\"'“(]*(?:it|its|he|she|his|her|they|their|them|this|these|those|such|both|that"
    r"|therefore|thus|hence|then|so|otherwise|instead|but|and|or|consequently|however|also"
    r"|as a result|for example|for instance|in this case|the (?:former|latter|others?|same)"
    r"|another|others?|here|there)\b"
)
"""How a sentence begins that goes on from the one before."""

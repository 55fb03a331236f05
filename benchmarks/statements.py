"""Words what a passage says in other words, by rule: what an honest writer might make of it.

A question and its answer become a statement; a sentence is reordered, shortened, merged with the
next, given a subject for its pronoun, or said with other words and other forms of its numbers.
Each rule returns None where it does not apply.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from ragcli.answer.english import IRREGULAR
from ragcli.answer.words import stem

AUXILIARY = r"was|were|is|are|did|does|do|has|have|had|can|could|will|would"
_PARTICIPLE = re.compile(r"\w{2,}(?:ed|wn|ne|en|lt|nt|ld|de|ng)$")
_WORDS_FOR = {
    "began": "started", "begin": "start", "begun": "started", "large": "big", "many": "a lot of",
    "several": "a number of", "located": "situated", "built": "constructed", "constructed": "built",
    "received": "got", "wrote": "authored", "founded": "established", "established": "set up",
    "created": "made", "developed": "worked out", "purchased": "bought", "bought": "purchased",
    "approximately": "about", "about": "around", "nearly": "almost", "although": "even though",
    "while": "whereas", "because": "since", "however": "but", "also": "as well", "children": "kids",
    "died": "passed away", "killed": "slain", "famous": "well known", "important": "significant",
    "significant": "important", "difficult": "hard", "primarily": "mainly", "mainly": "mostly",
    "such as": "like", "used": "employed", "employed": "used", "required": "needed",
    "allowed": "let", "increased": "rose", "decreased": "fell", "became": "turned into",
    "called": "named", "known as": "called", "referred to as": "called", "moved": "relocated",
    "won": "gained", "ended": "finished", "completed": "finished", "often": "frequently",
    "usually": "generally", "various": "different", "throughout": "all over", "within": "inside",
    "prior to": "before", "following": "after", "due to": "because of", "in order to": "to",
    "consists of": "is made up of", "contains": "holds", "provides": "gives", "shows": "displays",
    "entire": "whole", "area": "region", "region": "area", "nation": "country", "city": "town",
    "government": "state", "started": "began", "helped": "assisted", "led to": "caused",
    "produced": "made", "obtained": "got", "remained": "stayed", "currently": "now",
    "initially": "at first", "originally": "at first", "majority": "most", "rapidly": "quickly",
}  # fmt: skip
_THESAURUS = {
    word: others
    for line in Path(__file__).with_name("thesaurus.txt").read_text(encoding="utf-8").splitlines()
    for word, *others in [[part.replace("-", " ") for part in line.split()]]
}
"""Words with others that mean about the same."""
_FRAMES = ("", "", "", "According to the document, ", "The passage says that ", "In short, ")
_NUMBERS_TEXT = "two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: str(n) for n, word in enumerate(_NUMBERS_TEXT.split(), 2)}


def statement(question: str, answer: str, source: str) -> str | None:
    """A question and its answer as one sentence; `source` lends the form of the verb."""
    asked = " ".join(question.rstrip("? .").split())
    for rule in (_subject, _how_many, _placed, _did):
        said = rule(asked, answer.strip(" ."), source)
        if said and 4 <= len(said.split()) <= 45:
            return _sentence(said)
    return None


def reordered(sentence: str) -> str | None:
    """The clause in front of the first comma goes to the end, or that behind the last to the front."""
    front = re.match(
        r"((?:In|On|At|By|During|After|Before|From|Since|When|While|Although|As|For|With|Under|Until"
        r"|Through|Despite) [^,;()]{3,80}), ([^;]{15,})\.$",
        sentence,
    )
    if front and front[2].count(",") < 3:
        return _sentence(f"{front[2]} {_lower(front[1])}")
    back = re.match(
        r"([^,;()]{15,}),? ((?:in|on|during|after|before|since|while|although|because|when) [^,;()]{6,60})\.$",
        sentence,
    )
    return _sentence(f"{back[2]}, {_lower(back[1])}") if back else None


def shortened(sentence: str) -> str | None:
    """Without brackets, asides between commas, and what hangs on at the end."""
    said = re.sub(r"\s*\([^)]*\)", "", sentence)
    said = re.sub(
        r",(?!\d) ?(?:which|who|where|whose|including|such as|especially|known)\b[^,.;]*"
        r"(?:,\d{3}[^,.;]*)*(?=[,.](?!\d))",
        "",
        said,
    )
    said = re.sub(r"; [^;]*\.$", ".", said)
    said = re.sub(r",? (?:and|but|as well as|\w+ing)\b[^,.;]{10,}\.$", ".", said)
    said = re.sub(
        r"\b(?:also|however|very|originally|generally|especially|particularly|therefore),? ",
        "",
        said,
    )
    words = len(said.split())
    shorter = 5 <= words < len(sentence.split()) - 1
    return _sentence(said.replace(",,", ",")) if shorter else None


def resolved(sentence: str, title: str) -> str | None:
    """The pronoun at the beginning replaced by what the article is about."""
    match = re.match(r"(It|He|She|They|Its|His|Her|Their) (?!\w+self)", sentence)
    if match is None:
        return None
    owns = match[1] in ("Its", "His", "Their") or (
        match[1] == "Her" and not re.match(r"Her (?:was|is|had|has)", sentence)
    )
    return _sentence(f"{title}{chr(39) + 's' if owns else ''} {sentence[match.end() :]}")


def merged(first: str, second: str, rng: random.Random) -> str | None:
    """Two sentences as one."""
    if len(first.split()) + len(second.split()) > 50 or first[-1] not in ".":
        return None
    link = rng.choice([", and ", "; ", ", while "])
    begins = second.split()[0]
    following = _lower(second) if begins in FUNCTION else second
    return _sentence(first.rstrip(". ") + link + following)


def reworded(sentence: str, rng: random.Random) -> str | None:
    """With up to four words, and the forms of numbers, replaced by others that mean the same."""
    changes: list[tuple[str, str]] = []
    for old, new in _WORDS_FOR.items():
        if re.search(rf"\b{old}\b", sentence):
            changes.append((rf"\b{old}\b", new))
    for word, digits in _NUMBERS.items():
        if re.search(rf"\b{word}\b(?! of)", sentence):
            changes.append((rf"\b{word}\b(?! of)", digits))
    rng.shuffle(changes)
    said = sentence
    for pattern, new in changes[:4]:
        said = re.sub(pattern, new, said, count=1)
    said = re.sub(r"(?<=\d) percent\b|(?<=\d)%", lambda m: "%" if "p" in m[0] else " percent", said)
    said = re.sub(r"(?<=\d),(?=\d{3}\b)", "", said)
    return _sentence(said) if said != sentence else None


def loosened(sentence: str, rng: random.Random) -> str | None:
    """Said freely: most words that have another for them are replaced, some asides are dropped."""
    said = shortened(sentence) or sentence
    if rng.random() < 0.5:
        said = reordered(said) or said
    words = re.split(r"(\W+)", said)
    places = [n for n, word in enumerate(words) if word in _THESAURUS]
    if len(places) < 2:
        return None
    for n in places:
        if rng.random() < 0.85:
            words[n] = rng.choice(_THESAURUS[words[n]])
    frame = rng.choice(_FRAMES)
    said = "".join(words)
    return _sentence(frame + (_lower(said) if frame else said))


_FUNCTION_TEXT = (
    "The A An It He She They This These That In On At By For From Its His Her Their There As After "
    "Before During When While Although With"
)
FUNCTION = frozenset(_FUNCTION_TEXT.split())
"""Words that are written small inside a sentence."""


def _subject(asked: str, answer: str, source: str) -> str | None:
    """`Who built X` and `What city has Y`: the answer takes the place of what is asked for."""
    match = re.match(
        rf"(?:Who|What|Which)\b((?: (?!(?:{AUXILIARY})\b)\w+){{0,3}}?) (\w+)\b(.*)$", asked
    )
    if match is None or len(match[3]) < 4:
        return None
    verb = match[2]
    if verb in ("did", "does", "do", "would", "could", "can", "will"):
        return None
    if verb in ("was", "were", "is", "are") and not match[1]:
        rest = match[3].strip()
        if re.match(r"(?:the|a|an|his|her|its|their)\b", rest):
            return f"{rest} {verb} {answer}"
        return f"{answer} {verb} {rest}"
    if verb not in ("was", "were", "is", "are", "has", "have", "had") and not (
        verb.endswith(("ed", "s")) or verb in IRREGULAR
    ):
        return None
    return f"{answer} {verb}{match[3]}"


def _how_many(asked: str, answer: str, source: str) -> str | None:
    match = re.match(
        rf"How (?:many|much) ((?:(?!(?:{AUXILIARY})\b)\w+ ){{1,3}})((?:was|were|are|is|have|had) .*)$",
        asked,
    )
    if match is None:
        return None
    noun = match[1].strip()
    counted = answer if noun.lower() in answer.lower() else f"{answer} {noun}"
    return (
        None
        if match[2].startswith(("are there", "were there", "is there"))
        else f"{counted} {match[2]}"
    )


def _placed(asked: str, answer: str, source: str) -> str | None:
    """`When was X built` and `In what city is X located`: X was built, in 1889."""
    match = re.match(rf"{_ASKS} (was|were|is|are) (.+)$", asked)
    if match is None:
        return None
    words = match[2].split()
    for n in range(1, len(words)):
        word = words[n]
        if (
            (_PARTICIPLE.search(word) or word in IRREGULAR)
            and word.islower()
            and word not in ("been", "then")
        ):
            subject, rest = " ".join(words[:n]), " ".join(words[n:])
            return f"{subject} {match[1]} {rest} {_with_preposition(asked, answer, source)}"
    return None


def _did(asked: str, answer: str, source: str) -> str | None:
    """`When did X open`: X opened, in 1889; the source must have the verb in its past form."""
    match = re.match(rf"{_ASKS} did (.+)$", asked) or re.match(
        r"(?:Who|What)(?: \w+){0,2} did (.+)$", asked
    )
    if match is None:
        return None
    thing = re.match(r"(?:Who|What) did", asked) is not None
    forms = {stem(word): word for word in re.findall(r"[a-z]+", source)}
    words = match[1].split()
    for n in range(1, len(words)):
        past = forms.get(stem(words[n]))
        if (
            past
            and words[n].islower()
            and (past.endswith("ed") or past in IRREGULAR)
            and past != words[n]
        ):
            subject, rest = " ".join(words[:n]), " ".join(words[n + 1 :])
            if thing:
                return f"{subject} {past} {answer} {rest}".strip()
            return f"{subject} {past} {rest} {_with_preposition(asked, answer, source)}".replace(
                "  ", " "
            )
    return None


_ASKS = (
    r"(?:When|Where|(?:In |On |At |By |From |During )?(?:what|which|What|Which)"
    r"(?: (?:year|years|date|day|month|century|city|country|state|place|decade|region|town))+)"
)


def _with_preposition(asked: str, answer: str, source: str) -> str:
    if re.match(
        r"(?:in|on|at|by|from|during|near|around|before|after|since|until|between)\b",
        answer.lower(),
    ):
        return _lower(answer)
    found = re.search(
        rf"\b(in|on|at|by|from|during|near|around|since|until|between|to)(?: the)? {re.escape(answer)}",
        source,
    )
    if found:
        return f"{found[0]}"
    led = re.match(r"(In|On|At|By|From|During)\b", asked)
    return f"{(led[1] if led else 'in').lower()} {answer}"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:] if text.split()[0] in FUNCTION else text


def _sentence(text: str) -> str:
    said = " ".join(text.split()).strip(" ,;.")
    return said[0].upper() + said[1:] + "."

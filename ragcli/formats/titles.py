"""Which title in a file's properties is one: what programs fill in by themselves is not."""

from __future__ import annotations

import re

_LONGEST = 300
_JUNK = re.compile(
    r"""(?:microsoft\s+(?:word|powerpoint|excel)|powerpoint[- ]presentation|(?:pdf|ms)?\s*untitled
        |untitled\W?\d*|(?:document|dokument|presentation|slide|book|mappe|sheet|title|titel)\W?\d*
        |.*\.(?:docx?|dotx?|pdf|tex|dvi|indd|qxd|fm|ps|eps|pptx?|xlsx?|rtf|odt|ods|odp|html?|txt|md|wpd)
        |no\ title|[\W\d_]*)\s*|microsoft\s+(?:word|powerpoint|excel)\s+-\s.*""",
    re.VERBOSE | re.IGNORECASE,
)


def usable(title: str | None) -> str | None:
    """The title with its space tidied, or None for a file name, a program's name or no words."""
    tidy = " ".join((title or "")[:_LONGEST].split())
    return None if _JUNK.fullmatch(tidy) else tidy

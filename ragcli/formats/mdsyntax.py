"""The marks of Markdown's block syntax (CommonMark 0.31), as patterns and questions about one line.

Knows nothing of other lines: what a mark means where it stands is decided in `mdlines`.
"""

from __future__ import annotations

import re

_SPACES = re.compile(r" *")
_PREFIX = re.compile(r"[ \t>*+\-\d.)]*")
ATX = re.compile(r"(#{1,6})(?=[ \t]|$)")
ATX_END = re.compile(r"(?:^|[ \t])#+$")
UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
MARKER = re.compile(r"([-+*]|(\d{1,9})[.)])(?= |$)")
UNTIL_BLANK = (5, 6)
HTML_ENDS = (
    ("</script>", "</pre>", "</style>", "</textarea>"),
    ("-->",),
    ("?>",),
    (">",),
    ("]]>",),
)
_HTML_STARTS = (
    re.compile(r"<(?:script|pre|style|textarea)(?:[\s>]|$)", re.IGNORECASE),
    re.compile(r"<!--"),
    re.compile(r"<\?"),
    re.compile(r"<![A-Za-z]"),
    re.compile(r"<!\[CDATA\["),
    re.compile(
        r"</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details"
        r"|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header"
        r"|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search"
        r"|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:\s|/?>|$)",
        re.IGNORECASE,
    ),
)
_HTML_TAG = re.compile(
    r"(?:</[A-Za-z][A-Za-z0-9-]*+\s*+>|<[A-Za-z][A-Za-z0-9-]*+"
    r"(?:\s++[A-Za-z_:][A-Za-z0-9_.:-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?)*+\s*+/?>)\s*$"
)
_TITLE = r"(?:\"[^\"]*+\"|'[^']*+'|\([^()]*+\))"
DEFINITION = re.compile(
    r"[ ]*\[(?!\^)((?:[^\[\]\\]|\\.){1,999})\]:[ \t]*+\n?[ \t]*+(?:<[^<>\n]*+>|[^\s<]\S*+)"
    rf"(?:[ \t]*+\n?(?<=\s)[ \t]*+{_TITLE}[ \t]*+(?=\n|$)|[ \t]*+(?=\n|$))\n?"
)


def label_of(text: str) -> str:
    """The label of a link reference as it is compared: case and white space do not matter."""
    return " ".join(text.split()).casefold()


def detab(line: str) -> str:
    end = _marks_end(line)
    return line[:end].expandtabs(4) + line[end:]


def _marks_end(line: str) -> int:
    found = _PREFIX.match(line)
    return found.end() if found else 0


def skip(line: str, at: int) -> int:
    """The column of the first character that is not a space, from `at` on."""
    found = _SPACES.match(line, at)
    return found.end() if found else at


def is_rule(text: str) -> bool:
    """Whether a line is a thematic break: three or more of one of `*`, `-`, `_`, and spaces."""
    if text[0] not in "*-_":
        return False
    marks = text.replace(" ", "").replace("\t", "")
    return len(marks) >= 3 and not marks.strip(text[0])


def html_kind(text: str, interrupts: bool) -> int | None:
    """Which of the seven kinds of HTML block (counted from 0) begins with this line, if any."""
    if text[0] != "<":
        return None
    for kind, pattern in enumerate(_HTML_STARTS):
        if pattern.match(text):
            return kind
    return 6 if not interrupts and _HTML_TAG.match(text) else None

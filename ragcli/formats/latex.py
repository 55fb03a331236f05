r"""LaTeX: paragraphs under their \section path, with exact lines, without comments and set-up.

Text stays as it is written, one line for each source line; lines of mere structure (`\begin`,
`\label`, lengths) become blank, and `\emph{...}` and its like are reduced to their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragcli.errors import ParseError
from ragcli.formats import text
from ragcli.formats.limits import Limits
from ragcli.formats.outline import Outline
from ragcli.types import Block, BlockKind, Parsed

VERSION = 1

_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_SECTION = re.compile(rf"\\({'|'.join(_LEVELS)})\*?(?:\[[^\[\]]{{0,500}}\])?\{{")
_TITLE = re.compile(r"\\title\s*+(?:\[[^\[\]]{0,500}\])?\{")
_COMMENT = re.compile(r"((?:[^\\%]++|\\.)*+)%.*")
_VERBATIM = re.compile(r"\\(begin|end)\{(verbatim|lstlisting|minted|Verbatim|alltt|comment)\*?\}")
_STRUCTURE = re.compile(
    r"\s*+\\(?:begin|end|label|centering|maketitle|tableofcontents|newpage|clearpage|noindent|vspace|hspace"
    r"|includegraphics|bibliographystyle|bibliography|toprule|midrule|bottomrule|hline|small|appendix)"
    r"\*?(?:\[[^\[\]]{0,500}\]|\{[^{}]{0,500}\})*+\s*$"
)
_LABEL = re.compile(r"\\label\{[^{}]{0,200}\}")
_STYLED = re.compile(
    r"\\(?:emph|textbf|textit|texttt|textsc|textsf|textrm|underline|url|text)\{([^{}\\]{0,2000})\}"
)
_ITEM = re.compile(r"\s*+\\item\b")


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read a LaTeX file as one document. Raises ParseError where it holds no text."""
    source, warnings = text.source(data, limits)
    reader = _Reader()
    blocks = list(reader.read(source.split("\n")))
    if not blocks:
        raise ParseError("It holds commands and no text.")
    yield Parsed(blocks, reader.title, warnings=warnings)


class _Reader:
    def __init__(self) -> None:
        self.title: str | None = None
        self._outline = Outline()
        self._lines: list[str] = []
        self._first = 1
        self._item = False

    def read(self, lines: list[str]) -> Iterator[Block]:
        verbatim = ""
        body = next((at for at, line in enumerate(lines) if r"\begin{document}" in line), -1)
        for number, raw in enumerate(lines, 1):
            bounds = _VERBATIM.search(raw)
            if bounds and (not verbatim or (bounds[1], bounds[2]) == ("end", verbatim)):
                yield from self._flush(number + 1, code=verbatim)
                verbatim = bounds[2] if bounds[1] == "begin" else ""
                self._first = number + 1
            elif verbatim:
                self._lines.append("" if verbatim == "comment" else raw.rstrip())
            elif number <= body:
                self._take_title(_uncommented(raw))
                self._first = number + 1
            else:
                yield from self._line(number, _uncommented(raw))
        yield from self._flush(0, code=verbatim)

    def _line(self, number: int, line: str) -> Iterator[Block]:
        self._take_title(line)
        section = _SECTION.search(line)
        if section:
            yield from self._flush(number + 1)
            title = _styled_out(_argument(line, section.end()))
            if title:
                path = self._outline.enter(_LEVELS.index(section[1]) + 1, title)
                yield Block(title, "heading", path, lines=(number, number))
            return
        blank = not line.strip() or _STRUCTURE.match(line)
        if blank or _ITEM.match(line):
            yield from self._flush(number + (1 if blank else 0))
            self._item = not blank
        if not blank:
            self._lines.append(_styled_out(line))

    def _flush(self, following: int, *, code: str = "") -> Iterator[Block]:
        """End the paragraph; the next begins on the line `following`."""
        kind: BlockKind = "code" if code else "item" if self._item else "paragraph"
        yield from text.solid(self._lines, self._first, kind, self._outline.path)
        self._lines, self._first, self._item = [], following, False

    def _take_title(self, line: str) -> None:
        found = _TITLE.search(line) if self.title is None else None
        if found:
            self.title = _styled_out(_argument(line, found.end())) or None


def _uncommented(line: str) -> str:
    found = _COMMENT.match(line)
    return found[1].rstrip() if found else line.rstrip()


def _argument(line: str, start: int) -> str:
    """What stands in braces from `start` on, up to the brace that closes them or the line's end."""
    depth = 1
    for at in range(start, len(line)):
        depth += {"{": 1, "}": -1}.get(line[at], 0)
        if not depth:
            return line[start:at].strip()
    return line[start:].strip()


def _styled_out(line: str) -> str:
    return _STYLED.sub(r"\1", _STYLED.sub(r"\1", _LABEL.sub("", line))).strip()

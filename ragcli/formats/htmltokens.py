"""HTML cut into text, start tags and end tags in one pass, on any input, in linear time.

Follows the tokenizer of the HTML standard (13.2.5) where it decides what a reader sees: comments,
quoted attributes, raw text elements. Builds no tree and decodes no character references.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_NAME = re.compile(r"[A-Za-z][^\s/>]*+")
_REST_OF_TAG = re.compile(r"(?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?+)*+")
_COMMENT_END = re.compile(r"--!?>")
_SCRIPTS = frozenset({"script", "style"})
_RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_XHTML = re.compile(r"\s*<\?xml|[^>]{0,200}<html[^>]*\sxmlns\s*=", re.IGNORECASE)
_RAW_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}


class Token(NamedTuple):
    """A piece of HTML: `value` is the text, or the lower-case name of the tag."""

    kind: Literal["text", "start", "end"]
    value: str
    at: int
    """Offset of the piece in the source."""
    attributes: str = ""

    @property
    def end(self) -> int:
        """Offset after a tag."""
        return self.at + len(self.value) + len(self.attributes) + (3 if self.kind == "end" else 2)


def tokens(text: str, *, xml: bool = False) -> Iterator[Token]:
    """The tokens of a source; the content of a raw text element such as `title` is one text token.

    XML, said or seen, has tags that close themselves and CDATA, and no raw text but scripts.
    """
    at = 0
    raw = _RAW if not xml else _SCRIPTS
    xml = xml or _XHTML.search(text, 0, 2000) is not None
    unclosed: set[str] = set()
    while (start := text.find("<", at)) >= 0:
        if start > at:
            yield Token("text", text[at:start], at)
        after = text[start + 1 : start + 3]
        if after[:1] in ("!", "?") or (after[:1] == "/" and not after[1:].isalpha()):
            at, section = _markup(text, start, xml)
            if section:
                yield section
            continue
        name = _NAME.match(text, start + 1 + (after[:1] == "/"))
        if name is None:
            yield Token("text", "<", start)
            at = start + 1
            continue
        end = _tag_end(text, name.end())
        if end < 0:
            return
        tag, attributes = name[0].lower(), text[name.end() : end]
        at = end + 1
        if after[0] == "/":
            yield Token("end", tag, start)
            continue
        yield Token("start", tag, start, attributes)
        alone = xml and attributes.endswith("/")
        if alone:
            yield Token("end", tag, start)
        elif tag in raw and tag not in unclosed:
            close = _RAW_ENDS[tag].search(text, at)
            if close is None and tag in ("title", "textarea"):
                unclosed.add(tag)
                continue
            stop = close.start() if close else len(text)
            yield Token("text", text[at:stop], at)
            at = stop
    if at < len(text):
        yield Token("text", text[at:], at)


def _markup(text: str, start: int, xml: bool) -> tuple[int, Token | None]:
    """Pass over a comment, a declaration or an instruction; a CDATA section of XML is text."""
    if text.startswith("<!--", start):
        if text.startswith(">", start + 4) or text.startswith("->", start + 4):
            return text.index(">", start) + 1, None
        end = _COMMENT_END.search(text, start + 4)
        return (end.end() if end else len(text)), None
    if xml and text.startswith("<![CDATA[", start):
        close = text.find("]]>", start)
        stop = close if close >= 0 else len(text)
        # An ampersand is one here: written as a reference, it survives the decoding of the text.
        inner = text[start + 9 : stop].replace("&", "&amp;")
        return min(stop + 3, len(text)), Token("text", inner, start + 9)
    close = text.find(">", start)
    return (close + 1 if close >= 0 else len(text)), None


def _tag_end(text: str, at: int) -> int:
    """The offset of the `>` that ends a tag, or -1; a `>` in a quoted value ends nothing."""
    end = text.find(">", at)
    if end < 0 or not ('"' in text[at:end] or "'" in text[at:end]):
        return end
    rest = _REST_OF_TAG.match(text, at)
    stop = rest.end() if rest else end
    return stop if text.startswith(">", stop) else -1

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
    raw = set(_SCRIPTS if xml else _RAW)
    xml = xml or _XHTML.search(text, 0, 2000) is not None
    at = 0
    while (start := text.find("<", at)) >= 0:
        if start > at:
            yield Token("text", text[at:start], at)
        after = text[start + 1 : start + 3]
        if after[:1] in ("!", "?") or (after[:1] == "/" and not after[1:].isalpha()):
            at, token = _markup(text, start, xml)
        else:
            at, token = _tag(text, start, after[:1] == "/")
        if token is not None:
            yield token
            if token.kind == "start" and xml and token.attributes.endswith("/"):
                yield Token("end", token.value, start)
            elif token.kind == "start" and token.value in raw:
                stop = _raw_end(text, at, token.value, raw)
                yield Token("text", text[at:stop], at)
                at = stop
    if at < len(text):
        yield Token("text", text[at:], at)


def _tag(text: str, start: int, closing: bool) -> tuple[int, Token | None]:
    """Read a tag; one that never ends takes the rest, and what is no tag is a text of `<`."""
    name = _NAME.match(text, start + 1 + closing)
    if name is None:
        return start + 1, Token("text", "<", start)
    end = _tag_end(text, name.end())
    if end < 0:
        return len(text), None
    kind: Literal["start", "end"] = "end" if closing else "start"
    return end + 1, Token(kind, name[0].lower(), start, text[name.end() : end])


def _raw_end(text: str, at: int, name: str, raw: set[str]) -> int:
    """Where the content of a raw text element ends; an unclosed title is an element like others."""
    close = _RAW_ENDS[name].search(text, at)
    if close:
        return close.start()
    raw.discard(name)
    return at if name in ("title", "textarea") else len(text)


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

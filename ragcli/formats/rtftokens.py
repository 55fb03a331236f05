"""RTF as a stream of tokens, and the character sets that its fonts name. Knows no document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n\0]+)"
)

_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
"""What `\\fcharset` names -> codec; symbol fonts (2) have no codec of their own."""

WORDS = {
    "line": "\n", "tab": " ", "emdash": "—", "endash": "–", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ",
    "enspace": " ", "qmspace": " ",
}  # fmt: skip
"""Control words that stand for a character."""

DROPPED = {
    *("colortbl", "pict", "objdata", "fldinst", "datafield", "filetbl", "listtable", "xmlnstbl"),
    *("listoverridetable", "rsidtbl", "revtbl", "pgptbl", "mmathPr", "bkmkstart", "bkmkend"),
    *("atnid", "private", "nonshppict", "sp", "shprslt", "background", "falt", "panose", "do"),
    *("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"),
    *("ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "pntxta", "pntxtb"),
    *("revtim", "nonesttables"),
}
"""Destinations that hold no text of the document."""

KEPT_WHEN_STARRED = {
    *("fldrslt", "shpinst", "shptxt", "pntext", "listtext", "footnote", "annotation"),
}
"""Destinations that hold text although they are marked as optional (`\\*`)."""

_CODE_PAGES = {
    *(437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874),
    *(932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258),
}


class Token(NamedTuple):
    """`word` with its number, `symbol`, `{`, `}`, or `text` as bytes in the current character set."""

    kind: str
    word: str = ""
    number: int | None = None
    data: bytes = b""


def code_page(number: int) -> str:
    """The codec of a Windows code page, Western where it is unknown."""
    if number == 10000:
        return "mac_roman"
    if number == 1361:
        return "johab"
    if number == 65001:
        return "utf-8"
    return f"cp{number}" if number in _CODE_PAGES else "cp1252"


class Characters:
    """Bytes to text by the fonts of a file. `font` is the entry of the font table being read."""

    def __init__(self) -> None:
        self.codec = "cp1252"
        self.default: int | None = None
        self.font: int | None = None
        self._fonts: dict[int, str] = {}
        self._high = ""

    def charset(self, number: int) -> None:
        """Give the font being read a character set; 0 and 1 are that of the file."""
        if self.font is not None and number > 1:
            codec = "symbol" if number == 2 else _CHARSETS.get(number, self.codec)
            self._fonts[self.font] = codec

    def decode(self, data: bytes, font: int | None) -> str:
        """Text in a font, or in the default font; of a symbol font only its bullets."""
        wanted = self.default if font is None else font
        codec = self.codec if wanted is None else self._fonts.get(wanted, self.codec)
        if codec == "symbol":
            return "•" if data.strip() in (b"\xb7", b"\xa7", b"\xd8") else ""
        return data.decode(codec, "replace")

    def unicode(self, number: int) -> str:
        """The character of `\\u`, which may come as two halves; private ones are bullets."""
        unit, high = chr(number & 0xFFFF), self._high
        self._high = ""
        if "\ud800" <= unit <= "\udbff":
            self._high = unit
            return ""
        if "\udc00" <= unit <= "\udfff":
            return (high + unit).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return "•" if "\ue000" <= unit <= "\uf8ff" else unit


def tokens(data: bytes) -> Iterator[Token]:
    """The tokens of an RTF file; binary data (`\\bin`) is jumped over. Linear time."""
    at = 0
    while match := _TOKEN.search(data, at):
        at = match.end()
        word, number, code, symbol, brace, plain = match.groups()
        if word is not None:
            value = int(number) if number else None
            if word == b"bin":
                at += max(value or 0, 0)
            yield Token("word", word.decode("ascii"), value)
        elif code is not None:
            yield Token("text", data=bytes.fromhex(code.decode("ascii")))
        elif symbol is not None:
            yield Token("symbol", symbol.decode("latin-1"))
        elif brace is not None:
            yield Token(brace.decode("ascii"))
        else:
            yield Token("text", data=plain)

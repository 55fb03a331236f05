"""Bytes to text: which encoding they are in, and the clean-up that every text format relies on.

Knows nothing of formats. What comes out has accents composed (NFC) and `\\n` line ends; it holds no
control characters but `\\n` and `\\t`, no terminal escape sequences and no lone surrogates, and
cleaning never moves text to another line.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CYRILLIC = ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic")
_OTHER_SCRIPT_NAMES = (
    "big5 big5hkscs cp932 shift_jis shift_jis_2004 shift_jisx0213 euc_jp euc_jis_2004 iso2022_jp gb2312"
    " gbk gb18030 hz cp949 euc_kr johab cp1253 iso8859_7 cp1255 iso8859_8 cp1256 iso8859_6 cp874 tis_620"
    " iso8859_11 koi8_r koi8_u koi8_t cp1251 cp866 cp855 iso8859_5 mac_cyrillic mac_greek cp1258"
)
_LATIN_NAMES = (
    "utf_16 utf_16_le utf_16_be cp1250 cp1252 cp1254 cp1257 iso8859_2 iso8859_3 iso8859_4 iso8859_9"
    " iso8859_10 iso8859_13 iso8859_14 iso8859_15 iso8859_16 mac_roman"
)
_OTHER_SCRIPTS = frozenset(_OTHER_SCRIPT_NAMES.split())
_DECLARABLE = _OTHER_SCRIPTS | frozenset(_LATIN_NAMES.split())
_SAMPLE = 65536

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\-~])"
)
_SPACING = re.compile(r"[\x0b\x0c\x85]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]+")
_MARK = re.compile(r"[\u0300-\u036f\u3099\u309a\u1161-\u1175]")
_COMPOSABLE = re.compile(
    r"[^\u0300-\u036f\u3099\u309a][\u0300-\u036f\u3099\u309a]{1,8}"
    r"|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
)


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode a file's bytes: BOM, UTF-8, the declared encoding if any, else the likeliest one.

    Bytes that fit no encoding become U+FFFD; a text that is mostly UTF-8 keeps its stray bytes as
    Windows-1252. Never raises.
    """
    return clean(_decode(data, declared))


def clean(text: str) -> str:
    """Normalise line ends and accents; drop control characters, terminal escapes and lone surrogates."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    text = _CONTROLS.sub("", _SPACING.sub(" ", text))
    if not text.isascii():
        text = _compose(text.encode("utf-8", "replace").decode("utf-8"))
    return text


def _compose(text: str) -> str:
    # Normalising a whole text at once is quadratic in the length of a run of combining marks.
    if not _MARK.search(text):
        return text
    return _COMPOSABLE.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)


def _decode(data: bytes, declared: str | None) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    wide = wide_encoding(data[:_SAMPLE])
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(data, declared)


def wide_encoding(head: bytes) -> str | None:
    """The UTF-16 or UTF-32 variant that the pattern of zero bytes shows, where there is no BOM."""
    if len(head) < 8 or b"\0" not in head:
        return None
    quarter = len(head) // 4
    zeros = [head[offset : quarter * 4 : 4].count(0) / quarter for offset in range(4)]
    full = [share > 0.9 for share in zeros]
    if full[1] and full[2] and full[3] and zeros[0] < 0.1:
        return "utf-32-le"
    if full[0] and full[1] and full[2] and zeros[3] < 0.1:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _decode_legacy(data: bytes, declared: str | None) -> str:
    mostly = data.decode("utf-8", "replace")
    stray = mostly.count("\ufffd")
    whole = sum(len(run.encode()) for run in re.findall(r"[^\x00-\x7f\ufffd]+", mostly))
    if whole >= stray:
        return data.decode("utf-8", _STRAY_BYTES)
    encoding = _declarable(declared) or _guess(data)
    return data.decode(encoding, "replace")


def _stray_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    return stray.decode("cp1252", "replace"), error.end


_STRAY_BYTES = "ragcli.windows-1252"
codecs.register_error(_STRAY_BYTES, _stray_bytes)


def _declarable(declared: str | None) -> str | None:
    """The codec of a declared character set; None for unknown ones and for codecs that are no text."""
    if not declared or len(declared) > 40:
        return None
    try:
        found = codecs.lookup(declared.strip()).name.replace("-", "_")
    except (LookupError, ValueError):
        return None
    if found in {"iso8859_1", "ascii"}:
        return "cp1252"
    return found if found in _DECLARABLE else None


def _guess(data: bytes) -> str:
    sample = data[:_SAMPLE]
    high = re.findall(rb"[\x80-\xff]+", sample)
    single = sum(1 for run in high if len(run) == 1)
    # Western text has its accents one at a time; other scripts come in runs or pairs of high bytes.
    if single * 5 >= len(high) * 3 and sum(map(len, high)) * 4 < len(sample) + 4:
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(
        sample, cp_exclusion=["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_7"]
    ).best()
    # It calls Western text cp1250, cp1257 and the like: only other scripts are taken from it.
    if best is None or best.encoding not in _OTHER_SCRIPTS:
        return "cp1252"
    if best.encoding in _CYRILLIC:
        return max(_CYRILLIC, key=lambda encoding: _lower_case(sample, encoding))
    return best.encoding


def _lower_case(sample: bytes, encoding: str) -> int:
    """How much a text looks like Cyrillic prose in an encoding: lower-case letters less all else."""
    text = sample.decode(encoding, "replace")
    lower = sum("а" <= character <= "я" for character in text)
    return 2 * lower - sum(character > "\x7f" for character in text)

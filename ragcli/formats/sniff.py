"""What the first bytes of a file say it is. Names no reader by itself: `detect` puts the parts together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from ragcli.formats.encoding import wide_encoding

_TEXT_ONLY = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f]")
_UTF_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_ZIP_FORMATS = frozenset({"docx", "pptx", "sheets", "odt", "epub"})
_ZIP_MEMBERS = ((b"word/", "docx"), (b"ppt/", "pptx"), (b"xl/", "sheets"))
_MIMETYPES = (
    (b"application/epub+zip", "epub"),
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "sheets"),
)
_BINARY_MAGIC: tuple[bytes, ...] = (
    *(
        b"\x89PNG",
        b"GIF8",
        b"\xff\xd8\xff",
        b"\x7fELF",
        b"\xca\xfe\xba\xbe",
        b"SQLite format 3",
        b"%!PS",
    ),
    *(b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd", b"PK\x05\x06"),
)
_NOT_TEXT = frozenset({"pdf", "docx", "pptx", "sheets", "odt", "epub", "rtf", "notebook"})
_MAIL_FIRST = re.compile(
    rb"(?:received|return-path|delivered-to|from|message-id|mime-version|date|subject|to|x-[\w-]+):\s",
    re.IGNORECASE,
)
_MAIL_FIELD = re.compile(
    rb"^(from|to|date|subject|message-id|received):[ \t]", re.IGNORECASE | re.MULTILINE
)
_JSON_LINES = re.compile(rb"\{[^\r\n]*\}[ \t]*\r?\n\{")


@dataclass(frozen=True, slots=True)
class Container:
    """A binary type that was recognised; `format` is None where no reader reads it."""

    format: str | None


def suffix_of(name: str) -> str:
    """The lower-case suffix of a file name with its dot, or an empty string."""
    return PurePosixPath(name).suffix.lower()


def container(head: bytes, by_name: str | None) -> Container | None:
    """The binary type of a file by its magic bytes; None where they name none."""
    if _is_pdf(head, by_name):
        return Container("pdf")
    if head.startswith(b"PK\x03\x04"):
        return Container(_zip_format(head, by_name))
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Container("sheets" if by_name == "sheets" else None)
    if head.startswith(b"{\\rtf"):
        return Container("rtf")
    if head.startswith(_BINARY_MAGIC):
        return Container(None)
    return None


def _is_pdf(head: bytes, by_name: str | None) -> bool:
    """A PDF may have junk before its header, and a text may speak of that header."""
    at = head.find(b"%PDF-", 0, 1024 + 5)
    return at == 0 or (at > 0 and (by_name == "pdf" or not looks_like_text(head)))


def _zip_format(head: bytes, by_name: str | None) -> str | None:
    for mimetype, name in _MIMETYPES:
        if mimetype in head[:200]:
            return name
    found = [name for member, name in _ZIP_MEMBERS if b"PK\x03\x04" in head and member in head]
    if by_name in found or not found:
        return by_name if by_name in _ZIP_FORMATS else None
    return found[0] if b"[Content_Types].xml" in head or by_name in _ZIP_FORMATS else None


def looks_like_text(head: bytes) -> bool:
    """Whether a file that starts like this can be read as text in some encoding."""
    if head.startswith(_UTF_BOMS) or wide_encoding(head):
        return True
    controls = len(_TEXT_ONLY.findall(head))
    if not controls:
        return True
    if b"\0" not in head and _is_utf8(head):
        return True
    zeros = head.count(0)
    if _is_utf8(head):
        return zeros * 5 < len(head) and (controls - zeros) * 100 < len(head)
    return controls * 50 < len(head)


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(head) and error.reason == "unexpected end of data"
    return True


def refine(head: bytes, by_name: str | None) -> str:
    """The format of a file known to be text: its suffix, unless the content says better."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1000].lower()
    if by_name == "json" and _JSON_LINES.match(start):
        return "jsonl"
    if by_name and by_name not in _NOT_TEXT and by_name != "xml":
        return by_name
    if by_name == "notebook" and start.startswith(b"{"):
        return "notebook"
    if re.match(rb"(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<html)", start):
        return "html"
    if by_name == "xml" or start.startswith(b"<?xml"):
        return "xml"
    return "eml" if by_name is None and _is_mail(head) else "text"


def _is_mail(head: bytes) -> bool:
    """Whether a text without a telling name opens with the header of a message (RFC 5322)."""
    if not _MAIL_FIRST.match(head):
        return False
    header = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    return len({field.lower() for field in _MAIL_FIELD.findall(header)}) >= 3

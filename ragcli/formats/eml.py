"""EML: a message with its subject as title, its plain text or else its HTML, and what it carries.

Forwarded messages stand under their own subject, text attachments under their file name; other
attachments are named, never opened.
"""

from __future__ import annotations

import binascii
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from ragcli.errors import ParseError
from ragcli.formats import html
from ragcli.formats.encoding import clean, decode
from ragcli.formats.limits import Limits, fit
from ragcli.formats.text import paragraphs
from ragcli.types import Block, Parsed, Scalar

VERSION = 1
_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_LONGEST_HEADER = 2000
_MOST_PARTS = 2000
_SEVEN_BIT = frozenset(
    {"iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-kr", "hz-gb-2312"}
)
_ENCODED = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?)")
_Path = tuple[str, ...]


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    """Read one message (RFC 5322). Raises ParseError where it is none or holds no text."""
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(data)
    except RecursionError as error:
        raise ParseError("Its parts are nested too deeply.") from error
    if not any(message[field] for field in _SHOWN):
        raise ParseError("It has none of the header fields of a message.")
    blocks, warnings = fit(_blocks(message, limits), limits)
    subject = _header(message, "Subject") or None
    yield Parsed(blocks, subject, None, _metadata(message), warnings=warnings)


def _header(message: Message, field: str) -> str:
    """A header field as a person reads it, on one line; empty where it is missing."""
    wanted = field.lower()
    raw = next((value for key, value in message.raw_items() if key.lower() == wanted), "")
    text = decode(str(raw)[:_LONGEST_HEADER].encode("utf-8", "surrogateescape"))
    return " ".join(clean(_unencoded(text)).split())


def _unencoded(text: str) -> str:
    """Header text with its encoded words (RFC 2047) decoded; a character may be cut between two."""
    text = _BETWEEN.sub("", text)
    shown: list[str] = []
    at = 0
    charset, pending = "", b""
    for word in _ENCODED.finditer(text):
        if word.start() > at or word[1].lower() != charset:
            shown.append(_decoded(pending, charset) + text[at : word.start()])
            charset, pending = word[1].lower(), b""
        pending += _bytes_of(word[3], word[2].lower())
        at = word.end()
    return "".join(shown) + _decoded(pending, charset) + text[at:]


def _bytes_of(word: str, encoding: str) -> bytes:
    if encoding == "q":
        return binascii.a2b_qp(word.encode("utf-8"), header=True)
    try:
        return binascii.a2b_base64(word.encode("utf-8") + b"==")
    except binascii.Error:
        return word.encode("utf-8")


def _decoded(data: bytes, charset: str | None) -> str:
    """Bytes in a declared character set; those of seven bits look like ASCII until decoded."""
    known = (charset or "").lower()
    if known in _SEVEN_BIT:
        return clean(data.decode(known.removesuffix("-gb-2312"), "replace"))
    return decode(data, known or None)


def _metadata(message: Message) -> dict[str, Scalar]:
    fields = {"from": _header(message, "From"), "to": _header(message, "To")}
    found: dict[str, Scalar] = {key: value for key, value in fields.items() if value}
    date = _header(message, "Date")
    try:
        found["date"] = parsedate_to_datetime(date).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        if date:
            found["date"] = date
    return found


def _blocks(root: Message, limits: Limits) -> Iterator[Block]:
    """Every message in the file, outermost first, each with its own body and attachments."""
    waiting: list[tuple[Message, _Path]] = [(root, ())]
    budget = _MOST_PARTS
    while waiting:
        message, path = waiting.pop()
        shown = [f"{field}: {_header(message, field)}" for field in _SHOWN if message[field]]
        if shown:
            yield Block("\n".join(shown), "paragraph", path)
        nested: list[tuple[Message, _Path]] = []
        attached: list[str] = []
        for part in _parts(message, budget):
            budget -= 1
            if part.get_content_type() == "message/rfc822":
                inner = _inner(part)
                subject = _header(inner, "Subject") or "Forwarded message"
                nested.append((inner, (*path[-8:], subject)))
            else:
                yield from _part(part, path, attached, limits)
        if attached:
            yield Block("Attachments: " + ", ".join(attached), "paragraph", path)
        waiting.extend(reversed(nested))


def _inner(part: Message) -> Message:
    return next(iter(_children(part)), Message())


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    found = payload if isinstance(payload, list) else []
    return [child for child in found if isinstance(child, Message)]


def _parts(message: Message, most: int) -> Iterator[Message]:
    """The parts of one message to show, in order: one of alternatives, the root of related ones."""
    waiting = [message]
    while waiting and most > 0:
        part = waiting.pop()
        children = _children(part)
        if not children or part.get_content_type() == "message/rfc822":
            most -= 1
            yield part
        elif part.get_content_subtype() == "alternative":
            waiting.append(_best(children))
        else:
            waiting += reversed(children)


def _best(alternatives: list[Message]) -> Message:
    """The plain text of the alternatives where it says anything, else the last one."""
    for part in alternatives:
        if part.get_content_type() == "text/plain" and _text(part).strip():
            return part
    return alternatives[-1]


def _text(part: Message) -> str:
    data = part.get_payload(decode=True)
    try:
        charset = part.get_content_charset()
    except (LookupError, ValueError, TypeError):
        charset = None
    text = _decoded(data, charset) if isinstance(data, bytes) else ""
    return _unflowed(text) if part.get_param("format") == "flowed" else text


def _unflowed(text: str) -> str:
    """Lines that end in a space go on (RFC 3676), but for the one before a signature."""
    parts: list[str] = []
    for line in text.split("\n"):
        soft = line.endswith(" ") and line != "-- " and not line.startswith(">")
        parts += [line.rstrip() if soft else line, " " if soft else "\n"]
    return "".join(parts)


def _part(part: Message, path: _Path, attached: list[str], limits: Limits) -> Iterator[Block]:
    name = _file_name(part)
    is_text = part.get_content_maintype() == "text"
    if name:
        attached.append(name)
        path = (*path, name)
    if not is_text:
        return
    text = _text(part)
    if part.get_content_subtype() == "html":
        blocks = html.blocks(text, limits, heading=path)
    else:
        blocks = list(paragraphs(text.split("\n"), heading=path))
    for block in blocks:
        yield replace(block, lines=None)


def _file_name(part: Message) -> str:
    """The base name of an attachment, whatever path it claims."""
    try:
        raw = part.get_filename() or ""
    except (MessageError, ValueError, TypeError, LookupError):
        raw = "attachment"
    name = " ".join(clean(_unencoded(raw[:_LONGEST_HEADER])).split())
    return posixpath.basename(name.replace("\\", "/"))[:200]

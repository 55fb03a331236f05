"""The members of a zip container, unpacked in memory under hard caps. Never writes a file.

Nested archives stay closed, and only what a reader asks for is unpacked.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NoReturn

from ragcli.errors import ParseError
from ragcli.formats.limits import Limits

_STEP = 1 << 16
_SMALL = 10_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MANIFEST = "META-INF/manifest.xml"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, NotImplementedError, IndexError),
)


class Damaged(ParseError):
    """What was read so far is whole; the rest cannot be read."""


class Archive:
    """A zip container in memory. Names are looked up without regard to case, as OPC has it."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Raises ParseError where the bytes are no zip container, or an encrypted document."""
        if data.startswith(_OLE) and _ENCRYPTED_STREAM in data:
            raise ParseError("It is encrypted.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise ParseError("It is not a readable zip container.") from error
        self._limits = limits
        self._size = len(data)
        self._room = limits.unpacked_bytes
        self._members = {_key(info.filename): info for info in self._zip.infolist()}
        if _MANIFEST in self and b":encryption-data" in self.read(_MANIFEST):
            raise ParseError("It is encrypted.")

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._members

    def names(self) -> list[str]:
        """The names of all members, as written, in the order of the directory."""
        return [info.filename for info in self._members.values()]

    def read(self, name: str) -> bytes:
        """A whole member. Raises ParseError where it is missing, damaged or over a cap."""
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        """A member piece by piece. Raises ParseError for a missing one or a cap, Damaged at a break."""
        info = self._members.get(_key(name))
        if info is None:
            raise ParseError(f"It has no part {name}.")
        if info.flag_bits & 0x1:
            raise ParseError("It is encrypted.")
        if info.compress_type not in _METHODS:
            raise ParseError("It is compressed with a method that its format does not allow.")
        most = max(_SMALL, min(info.compress_size, self._size) * self._limits.ratio)
        try:
            with self._zip.open(info) as member:
                while piece := member.read(_STEP):
                    most -= len(piece)
                    self._room -= len(piece)
                    if most < 0 or self._room < 0:
                        _refuse(self._limits, most < 0)
                    yield piece
        except _BROKEN as error:
            raise Damaged(f"Its part {info.filename[:100]} is damaged.") from error


def _refuse(limits: Limits, by_ratio: bool) -> NoReturn:
    """Say which cap was passed; never an OSError, so that it is not taken for damage."""
    if by_ratio:
        raise ParseError(f"It unpacks to more than {limits.ratio} times its size.")
    raise ParseError(f"It unpacks to more than {limits.unpacked_bytes / 1e6:g} MB.")


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()

"""Messages between a process and its child: a JSON header, then raw bytes, each with its length."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

LENGTHS = struct.Struct(">II")


def send(stream: IO[bytes], header: dict[str, Any], payload: bytes | memoryview = b"") -> None:
    """Write one message and flush it."""
    head = json.dumps(header).encode()
    stream.write(LENGTHS.pack(len(head), len(payload)))
    stream.write(head)
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read one message; raises EOFError when the other side is gone."""
    head, payload = LENGTHS.unpack(_exactly(stream, LENGTHS.size))
    header: dict[str, Any] = json.loads(_exactly(stream, head))
    return header, _exactly(stream, payload)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError("the other process is gone")
    return data

"""A reader that does to its process what the file says: what real documents did to real parsers."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ragcli.formats.limits import Limits
from ragcli.types import Block, Parsed

VERSION = 3


def read(data: bytes, name: str, limits: Limits) -> Iterator[Parsed]:
    order, _, rest = data.decode().partition(" ")
    yield from ORDERS[order](rest)


def _document(text: str, **metadata: str | int) -> Parsed:
    return Parsed([Block(text, lines=(1, 1))], metadata=dict(metadata))


def say(rest: str) -> Iterator[Parsed]:
    yield _document(rest, pid=os.getpid())


def hang(rest: str) -> Iterator[Parsed]:
    yield from say("before it hangs")
    time.sleep(3600)


def spin(rest: str) -> Iterator[Parsed]:
    while True:
        pass
    yield


def segfault(rest: str) -> Iterator[Parsed]:
    yield from say("before it crashes")
    ctypes.string_at(0)


def abort(rest: str) -> Iterator[Parsed]:
    os.abort()
    yield


def leave(rest: str) -> Iterator[Parsed]:
    print("a last word", file=sys.stderr)
    os._exit(7)
    yield


def memory(rest: str) -> Iterator[Parsed]:
    held = []
    while True:
        held.append(bytearray(10_000_000))
    yield


def starve(rest: str) -> Iterator[Parsed]:
    """What native code does when it is refused memory: it aborts without a word."""
    held = []
    try:
        while True:
            held.append(bytearray(b"x") * 10_000_000)
            time.sleep(0.02)
    except MemoryError:
        os.abort()
    yield


def recursion(rest: str) -> Iterator[Parsed]:
    def deeper() -> None:
        deeper()

    deeper()
    yield


def bug(rest: str) -> Iterator[Parsed]:
    yield from say("before the bug")
    raise ValueError("no such cell")


def noise(rest: str) -> Iterator[Parsed]:
    print("to standard output", flush=True)
    os.write(1, b"\xff" * 100_000)
    for _ in range(100):
        os.write(2, b"complaint " * 1000)
    yield from say("heard " + sys.stdin.read())


def forge(rest: str) -> Iterator[Parsed]:
    for handle in range(3, 12):
        with suppress(OSError):
            os.write(handle, b"\xff" * 8)
    yield from say("forged")


def drip(rest: str) -> Iterator[Parsed]:
    """The head of a large frame, and then a byte at a time."""
    while True:
        for handle in range(3, 12):
            with suppress(OSError):
                os.write(handle, b"\x01")
        time.sleep(0.02)
    yield


def chatter(rest: str) -> Iterator[Parsed]:
    while True:
        os.write(2, b"complaint " * 1000)
    yield


def network(rest: str) -> Iterator[Parsed]:
    with socket.create_connection(("127.0.0.1", int(rest))) as connection:
        connection.sendall(b"secret")
    yield from say("sent")


def program(rest: str) -> Iterator[Parsed]:
    subprocess.run(["touch", rest], check=True)
    yield from say("ran")


def write(rest: str) -> Iterator[Parsed]:
    Path(rest).write_text("x" * 100)
    yield from say("written")


def records(rest: str) -> Iterator[Parsed]:
    for number in range(int(rest)):
        yield _document(f"record {number} " + "the fox runs. " * 130, pid=os.getpid())


def nothing(rest: str) -> Iterator[Parsed]:
    yield Parsed([Block("  \n ")])


_ALL = (say, hang, spin, segfault, abort, leave, memory, starve, recursion, bug)
_MORE = (noise, forge, drip, chatter, network, program, write, records, nothing)
ORDERS = {order.__name__: order for order in (*_ALL, *_MORE)}

"""The parsing child, `python -m ragcli.documents.child`: reads files one after the other, parses, splits.

Speaks frames on its standard input and output and nothing else; what a parser prints is cast away.
Whatever a document does to it, this process is all that it can take down.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from typing import Any, BinaryIO

from ragcli.documents import frames, limits
from ragcli.documents.split import Splitter, SplitterOptions
from ragcli.errors import ParseError, RagcliError, Unsupported
from ragcli.formats.limits import Limits
from ragcli.registry import Plug, load
from ragcli.types import Parsed

Detect = Callable[[str, bytes], str | None]

_HEAD = 8192
_CHUNKS_A_FRAME = 256
_FILES_A_CHILD = 200
_REASON = 300


@dataclass(frozen=True, slots=True)
class Options:
    """What the parent says once, before any file."""

    tokenizer: str
    max_tokens: int
    overlap: int
    timeout_s: float
    memory_mb: int
    text_mb: int
    file_mb: int
    parent: int


def main(formats: Mapping[str, Plug] | None = None, detect: Detect | None = None) -> None:
    """Serve until the parent closes the pipe. Another table of formats may be served by the same rules."""
    if formats is None or detect is None:
        from ragcli.formats import FORMATS
        from ragcli.formats import detect as by_content

        formats, detect = FORMATS, by_content
    incoming, outgoing = _private_streams()
    first = _receive(incoming)
    if first is None:
        return
    options = Options(**first)
    limits.die_with(options.parent)
    Worker(options, formats, detect, incoming, outgoing).serve()


class Worker:
    """Answers one request after the other."""

    def __init__(
        self,
        options: Options,
        formats: Mapping[str, Plug],
        detect: Detect,
        incoming: BinaryIO,
        outgoing: BinaryIO,
    ) -> None:
        self._options = options
        self._formats = formats
        self._detect = detect
        self._incoming = incoming
        self._outgoing = outgoing
        self._limits = Limits(text_bytes=options.text_mb * 1_000_000)
        self._splitter = Splitter(
            SplitterOptions(options.tokenizer, options.max_tokens, options.overlap)
        )

    def serve(self) -> None:
        """Answer until the pipe closes, or until it is better to begin afresh."""
        limits.confine(self._options.memory_mb)
        self._send({"ready": True})
        for served in range(1, _FILES_A_CHILD + 1):
            request = _receive(self._incoming)
            if request is None:
                return
            end = self._answer(request)
            tired = served == _FILES_A_CHILD or limits.peak_mb() > self._options.memory_mb / 2
            end["leaving"] = end.get("leaving", False) or tired
            self._send(end)
            if end["leaving"]:
                return

    def _answer(self, request: frames.Message) -> frames.Message:
        """Send what one file holds; return the frame that ends it."""
        limits.grant_cpu(self._options.timeout_s)
        reading = "file"
        try:
            data, mtime = self._data(request)
            reading = request["format"] or self._format_of(request["name"], data)
            plug = load("format", self._formats, reading)
            self._send({"source": _source(data, mtime, reading, plug.VERSION)})
            if self._stream(plug.read(data, request["name"], self._limits)):
                return {"end": True}
            return {"failed": "It holds no text."}
        except RagcliError as error:
            return {"failed": error.message, "unsupported": isinstance(error, Unsupported)}
        except MemoryError:
            return {"failed": too_large(self._options.memory_mb), "leaving": True}
        except RecursionError:
            return {"failed": "It is nested too deeply.", "leaving": True}
        except Exception as error:
            # The outermost frame of a process whose task is to survive what documents do to readers.
            reason = f"The {reading} reader failed: {type(error).__name__}: {error}"
            return {"failed": reason[:_REASON], "details": traceback.format_exc()}

    def _data(self, request: frames.Message) -> tuple[bytes, int]:
        size = request["data"]
        if size is None:
            return _read_file(request["path"], self._options.file_mb)
        return _exactly(self._incoming, size), 0

    def _format_of(self, name: str, data: bytes) -> str:
        if not data:
            raise Unsupported("It is empty.")
        found = self._detect(name, data[:_HEAD])
        if found is None:
            raise Unsupported("It is binary, or of a kind that is not read.")
        return found

    def _stream(self, documents: Iterator[Parsed]) -> bool:
        """Send every document that holds text, in frames; say whether there was one."""
        some = False
        for parsed in documents:
            head: frames.Message = {
                "document": frames.describe_document(self._splitter.frame(parsed))
            }
            batch: list[Any] = []
            for chunk in self._splitter.chunks(parsed):
                some = True
                if len(batch) == _CHUNKS_A_FRAME:
                    self._send({**head, "chunks": batch, "more": True})
                    head, batch = {}, []
                batch.append(frames.describe_chunk(chunk))
            if batch:
                self._send({**head, "chunks": batch, "more": False})
        return some

    def _send(self, message: frames.Message) -> None:
        self._outgoing.write(frames.encode(message))
        self._outgoing.flush()
        limits.grant_cpu(self._options.timeout_s)


def too_large(memory_mb: int) -> str:
    """Why a file that exhausts the memory is not read."""
    return f"It needed more than {memory_mb} MB of memory."


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes, out of reach of parsers that read from or print to the standard streams."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


def _receive(incoming: BinaryIO) -> frames.Message | None:
    head = incoming.read(4)
    if len(head) < 4:
        return None
    return frames.decode(_exactly(incoming, frames.length(head)))


def _exactly(incoming: BinaryIO, size: int) -> bytes:
    data = incoming.read(size)
    if len(data) < size:
        # The parent went away in the middle of a request.
        sys.exit(1)
    return data


def _read_file(path: str, most_mb: int) -> tuple[bytes, int]:
    """The bytes of a regular file and its time of change; a link or a pipe is never followed or awaited."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        handle = os.open(path, flags)
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise ParseError("It is not a regular file.")
            if facts.st_size > most_mb * 1_000_000:
                raise Unsupported(f"It is larger than {most_mb} MB.")
            with FileIO(handle, closefd=False) as file:
                return file.readall(), facts.st_mtime_ns
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ParseError("It is a symbolic link, which is not followed.") from error
        raise ParseError(f"It cannot be read: {error.strerror}.") from error


def _source(data: bytes, mtime: int, name: str, version: int) -> frames.Message:
    return {
        "digest": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "mtime_ns": mtime,
        "format": name,
        "parser": f"{name}/{version}",
    }


if __name__ == "__main__":
    main()

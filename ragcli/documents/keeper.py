"""Keeps one parsing child running, and a fresh one in its place whenever it is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ragcli.documents import frames
from ragcli.documents.process import Child, Died
from ragcli.documents.result import ParseRequest, ParseResult
from ragcli.errors import ParseError, RagcliError, Unsupported

_FORWARDED = (b'{"source"', b'{"document"', b'{"chunks"')
"""How the frames begin that are passed on unread."""


class Keeper:
    """Fills results from a child of its own, which it starts when there is something to do.

    `options` is what every child is told first. All but `close` belongs to one thread.
    """

    def __init__(self, start: Callable[[], Child], options: frames.Message) -> None:
        self._start = start
        self._options = options
        self._child: Child | None = None
        self._serving: ParseResult | None = None
        self._closing = threading.Lock()
        self._closed = False

    def serve(self, result: ParseResult) -> None:
        """Fill a result to its end, be it an error."""
        self._serving = result
        try:
            result.channel.end(self._exchange(result))
        except Died as death:
            self.dismiss()
            result.channel.end(_failed(str(death), death.details))
        except BaseException as error:
            # Whatever goes wrong in this thread has to surface where the result is read.
            self.dismiss()
            result.channel.end(error)

    def dismiss(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def close(self) -> None:
        """Kill the child, whatever it does, and start none again; nobody reads its result now."""
        with self._closing:
            self._closed = True
            if self._child is not None:
                self._child.kill()
            if self._serving is not None:
                self._serving.close()

    def _exchange(self, result: ParseResult) -> ParseError | None:
        child = self._ready()
        child.send(_described(result.request))
        while True:
            payload = child.receive()
            if payload.startswith(_FORWARDED):
                if not result.channel.put(payload):
                    self.dismiss()
                    return None
                continue
            end = frames.decode(payload)
            if end["leaving"]:
                self.dismiss()
            if "failed" not in end:
                return None
            kind = Unsupported if end.get("unsupported") else ParseError
            return _failed(end["failed"], end.get("details", ""), kind)

    def _ready(self) -> Child:
        """The child, started and ready for a file. Raises RagcliError where it cannot start."""
        if self._child is not None and self._child.is_running():
            return self._child
        self.dismiss()
        with self._closing:
            if self._closed:
                raise Died("The parser was told to end.")
            child = self._child = self._start()
        try:
            child.send(frames.encode(self._options))
            child.receive(starting=True)
        except Died as death:
            said = death.details.strip().rpartition("\n")[2] or str(death)
            raise RagcliError(f"The parsing process cannot start: {said}") from None
        return child


def _described(request: ParseRequest) -> bytes:
    data = request.data
    head = frames.encode(
        {
            "path": request.path,
            "name": request.name,
            "format": request.format,
            "data": None if data is None else len(data),
        }
    )
    return head if data is None else head + data


def _failed(reason: str, details: str, kind: type[ParseError] = ParseError) -> ParseError:
    error = kind(reason)
    if details.strip():
        error.add_note(details.strip())
    return error

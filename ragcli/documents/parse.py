"""Parses and splits files in child processes that are killed when they take too long or too much.

The parent never opens a document: it hands over paths and receives chunks. Results come in the
order of the requests while other children read ahead, and no more is held than a few frames of
each; a file of a million records is never in memory whole.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from types import TracebackType

from ragcli.documents import frames
from ragcli.documents.keeper import Keeper
from ragcli.documents.process import Child, command
from ragcli.documents.result import ParseRequest, ParseResult, Source
from ragcli.documents.split import SplitterOptions

__all__ = ["ParseRequest", "ParseResult", "ParserPool", "Source"]

_AHEAD = 4
"""Requests under way for each child."""


class ParserPool:
    """A few warm parsing children, each replaced when it was killed, crashed or has served long.

    Limits: `timeout_s` without a new document or part of one, `memory_mb` of one child, `text_mb`
    of text of one document, `file_mb` of one file. `program` is what a child runs, by default this
    package's own; another one has to speak the protocol of `ragcli.documents.child`.
    """

    def __init__(
        self,
        splitter: SplitterOptions,
        *,
        jobs: int,
        timeout_s: float,
        memory_mb: int,
        text_mb: int,
        file_mb: int = 512,
        program: Sequence[str] | None = None,
    ) -> None:
        argv = list(program or command())
        self._start = lambda: Child(argv, timeout_s=timeout_s, memory_mb=memory_mb)
        self._options: frames.Message = {
            **asdict(splitter),
            "timeout_s": timeout_s,
            "memory_mb": memory_mb,
            "text_mb": text_mb,
            "file_mb": file_mb,
            "parent": os.getpid(),
        }
        self._jobs = jobs
        self._queue: queue.SimpleQueue[ParseResult | None] = queue.SimpleQueue()
        self._lanes: list[tuple[threading.Thread, Keeper]] = []

    def __enter__(self) -> ParserPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def parse(self, requests: Iterable[ParseRequest]) -> Iterator[ParseResult]:
        """A result for every request, in order; each is to be read before the next is asked for.

        `requests` is read in the calling thread, some way ahead so that no child is idle.
        """
        source = iter(requests)
        waiting: deque[ParseResult] = deque()
        try:
            while True:
                room = self._jobs * _AHEAD - len(waiting)
                waiting.extend(map(self._submit, islice(source, room)))
                if not waiting:
                    return
                turn = waiting.popleft()
                yield turn
                turn.close()
        finally:
            for result in waiting:
                result.close()

    def close(self) -> None:
        """Kill every child and wait until it is gone."""
        for _, keeper in self._lanes:
            keeper.close()
            self._queue.put(None)
        for thread, _ in self._lanes:
            thread.join()
        self._lanes.clear()

    def _submit(self, request: ParseRequest) -> ParseResult:
        result = ParseResult(request)
        self._queue.put(result)
        if len(self._lanes) < self._jobs:
            keeper = Keeper(self._start, self._options)
            thread = threading.Thread(target=self._work, args=(keeper,), name="parser", daemon=True)
            self._lanes.append((thread, keeper))
            thread.start()
        return result

    def _work(self, keeper: Keeper) -> None:
        """Serve results from the queue until told to end. The thread that starts a child outlives it."""
        while (result := self._queue.get()) is not None:
            keeper.serve(result)
        keeper.dismiss()

"""The parent's side of the child that holds the model: start it, wait for it, ask it, end it.

An answer that is not read to its end, by an interrupt or otherwise, ends the child: it would go on
generating. The next question starts a new one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ragcli.errors import ContextTooLong, ModelError
from ragcli.models.allocator import STEADY_MEMORY
from ragcli.models.child import Child, Died
from ragcli.models.switches import QUIET, SLEEPING_THREADS

MODULE = "ragcli.llms.huggingface_child"
Message = dict[str, Any]


class Session:
    """A model in a child, which begins to load it at once. `overhead` is what its chat template adds,
    in tokens, known when it is loaded."""

    def __init__(self, model: str, order: Message, on_progress: Callable[[str], None]) -> None:
        self._model = model
        self._order = order
        self._say = on_progress
        self._child: Child | None = None
        self._loaded = False
        self._one_at_a_time = threading.Lock()
        self.overhead: int = 0
        self._start()

    @property
    def pid(self) -> int | None:
        """The process number of the child, while there is one."""
        return self._child.pid if self._child else None

    def wait(self) -> Child:
        """Wait until the model is loaded. Raises ModelError when it cannot be."""
        child = self._child or self._start()
        if not self._loaded:
            try:
                self.overhead = self._hear(child)["ready"]["overhead"]
            except BaseException:
                self.close()
                raise
            self._loaded = True
        return child

    def ask(self, messages: Sequence[Message], stop: Sequence[str]) -> Iterator[Message]:
        """Pieces of the answer (`text`), then what is known of it (`done`).

        Raises ContextTooLong before anything is generated, and ModelError for whatever goes wrong.
        """
        with self._one_at_a_time:
            whole = False
            try:
                child = self.wait()
                self._send(child, {"messages": list(messages), "stop": list(stop)})
                while "done" not in (reply := self._hear(child)):
                    yield reply
                whole = True
                yield reply
            except ContextTooLong:
                whole = True
                raise
            finally:
                if not whole:
                    self.close()

    def close(self) -> None:
        """End the child at once; asked again, the model is loaded again."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _start(self) -> Child:
        waiting = {} if self._order["spin"] else SLEEPING_THREADS
        child = self._child = Child(MODULE, {**QUIET, **STEADY_MEMORY, **waiting})
        self._loaded = False
        self._send(child, self._order)
        return child

    def _send(self, child: Child, message: Message) -> None:
        try:
            child.send(message)
        except Died as death:
            raise self._ended(death) from death

    def _hear(self, child: Child) -> Message:
        """The next message that is not progress, which is passed on."""
        while True:
            try:
                reply, _ = child.receive()
            except Died as death:
                raise self._ended(death) from death
            if "progress" in reply:
                self._say(reply["progress"])
                continue
            if "error" not in reply:
                return reply
            kind = ContextTooLong if reply.get("kind") == "context" else ModelError
            error = kind(reply["error"], reply["fix"])
            if reply.get("details"):
                error.add_note(reply["details"])
            raise error

    def _ended(self, death: Died) -> ModelError:
        error = ModelError(
            f"The process that runs {self._model} ended: {death}.",
            "Choose a smaller llm.model or llm.quantization 4bit, or close other programs.",
        )
        if death.details:
            error.add_note(death.details)
        return error

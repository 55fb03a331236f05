"""The child that holds a language model: `python -P -m ragcli.llms.huggingface_child`, spoken to in frames.

The first frame it reads says which model and how it is loaded; each further one holds messages.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ragcli.errors import ContextTooLong, RagcliError
from ragcli.models.frames import receive, send
from ragcli.models.switches import QUIET

if TYPE_CHECKING:
    from ragcli.llms.huggingface_generate import Generator

EVERY_S = 10.0
"""How often it is said that something takes long."""


def main() -> int:
    """Serve until the other side is gone; it decides about interrupts, so they are ignored here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(QUIET)
    # Libraries may print: the pipe gets a descriptor of its own, and prints go to stderr.
    replies = Replies(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    threading.Thread(target=_leave_with_parent, args=(requests.fileno(),), daemon=True).start()
    try:
        serve(requests, replies)
    except (EOFError, BrokenPipeError):
        return 0
    return 1


class Replies:
    """What is sent to the parent, from whichever thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, **message: Any) -> None:
        """Send one message."""
        with self._lock:
            send(self._stream, message)

    def fail(self, error: Exception, model: str, doing: str) -> None:
        """Send an error as a sentence, with its traceback where it is none of ours."""
        from ragcli.llms.huggingface_trouble import explain

        known = error if isinstance(error, RagcliError) else explain(error, model, doing)
        self(
            error=known.message,
            fix=known.fix,
            kind="context" if isinstance(error, ContextTooLong) else "model",
            details="" if known is error else "".join(traceback.format_exception(error)),
        )


def serve(requests: IO[bytes], replies: Replies) -> None:
    """Load the model that the first request orders, and answer the others; raises EOFError at their end."""
    order, _ = receive(requests)
    model = order["model"]
    try:
        with _reporting(replies, f"Loading {model}"):
            generator = _load(order, replies)
    except Exception as error:  # the outermost frame: the parent makes an error of its own of it
        replies.fail(error, model, "loading")
        return
    replies(ready={"overhead": generator.prompts.overhead})
    while True:
        request, _ = receive(requests)
        try:
            _answer(generator, request, replies)
        except BrokenPipeError:
            raise
        except Exception as error:  # likewise
            replies.fail(error, model, "generation")


def _load(order: dict[str, Any], replies: Replies) -> Generator:
    # What is imported here stays; to look through it again and again costs a fifth of the start.
    gc.disable()
    from ragcli.llms.huggingface_generate import Generator
    from ragcli.llms.huggingface_load import load

    gc.freeze()
    gc.enable()
    model, tokenizer = load(order, lambda text: replies(progress=text))
    return Generator(model, tokenizer, order)


def _answer(generator: Generator, request: dict[str, Any], replies: Replies) -> None:
    prompt = generator.prompts.render(request["messages"])
    with _reporting(replies, f"Reading a prompt of {prompt.tokens} tokens") as over:

        def emit(text: str) -> None:
            over()
            if text:
                replies(text=text)

        done = generator.answer(prompt, request["stop"], emit)
    replies(done=done)


def _leave_with_parent(requests: int) -> None:
    """End at once when the parent is gone, in the midst of whatever is computed."""
    watch = select.poll()
    watch.register(requests, 0)
    watch.poll()
    os._exit(0)


@contextmanager
def _reporting(replies: Replies, doing: str) -> Iterator[Callable[[], None]]:
    """Say every few seconds how long it has taken, until the end or until the yielded is called."""
    over = threading.Event()

    def report() -> None:
        seconds = 0.0
        while not over.wait(EVERY_S):
            seconds += EVERY_S
            replies(progress=f"{doing}: {seconds:.0f} s.")

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield over.set
    finally:
        over.set()
        reporter.join()


if __name__ == "__main__":
    sys.exit(main())

"""Asks a provider again when it is busy, waits in between, and turns its failures into our errors.

One policy for all providers: their packages are told not to repeat anything by themselves. A
request is repeated only as long as nothing of its answer was handed on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from ragcli.hosted.access import Access
from ragcli.hosted.trouble import explain, judge, may_pass

FIRST_S, LONGEST_S = 0.5, 60.0

T = TypeVar("T")


def ask(access: Access, request: Callable[[], T]) -> T:
    """The answer to `request`, repeated where that may help; raises RagcliErrors for its failures."""
    attempt = 0
    while True:
        try:
            return request()
        except Exception as error:
            _wait_or_raise(error, access, attempt)
        attempt += 1


def listen(access: Access, request: Callable[[], Iterator[T]]) -> Iterator[T]:
    """The parts of an answer as they come; repeated only before the first of them."""
    attempt = 0
    while True:
        parts, begun = request(), False
        try:
            for part in parts:
                begun = True
                yield part
            return
        except GeneratorExit:
            raise
        except Exception as error:
            _wait_or_raise(error, access, attempt if not begun else access.retries)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        attempt += 1


def _wait_or_raise(error: Exception, access: Access, attempt: int) -> None:
    """Wait before the next attempt, or raise what the error means; a bug passes as it is."""
    failure = may_pass(error, access)
    wait = FIRST_S * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311
    if failure is not None and attempt < access.retries:
        wait = wait if failure.again_s is None else failure.again_s
        if wait > LONGEST_S:
            raise judge(failure, access) from error
        if wait >= 1:
            access.say(f"{access.who} is busy; trying again in {wait:.0f} s.")
        time.sleep(wait)
        return
    known = explain(error, access)
    if known is None or known is error:
        raise error
    raise known from error

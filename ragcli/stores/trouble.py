"""What goes wrong between us and a store: what may be tried again, and what a person is told."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from ragcli.errors import KeyRefused, NetworkError, RagcliError, StoreError
from ragcli.hosted.failure import causes

Kind = Literal["busy", "down", "slow", "key", "full", "missing", "large", "refused"]

FIRST_S, LONGEST_S = 0.25, 20.0
SHOWN = 200
PASSING = {"busy": "is busy", "down": "cannot be reached", "slow": "does not answer"}
STRANGER = 2
PATIENCE_S = 180.0

T = TypeVar("T")


class Partial(Exception):
    """A request of which only a part was carried out."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure as a store's own file reads it: its kind, what was said, the wait asked for.

    `busy` is a wish for fewer requests or a passing disorder, `down` that nobody answers, `slow`
    that the answer did not come in time. All requests to a store may be repeated: they say what
    shall be, not what shall be added.
    """

    kind: Kind
    said: str = ""
    again_s: float | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a store is spoken to: its name for messages, attempts, and who hears of waits.

    `key` is the variable that holds its key, empty where it needs none.
    """

    title: str
    retries: int = 5
    key: str = ""
    say: Callable[[str], None] = print


def patiently(
    request: Callable[[], T],
    read: Callable[[Exception], Trouble | None],
    manner: Manner,
    *,
    known: bool = True,
) -> T:
    """The answer to `request`, repeated while what `read` makes of its failures may pass.

    A store that never answered (not `known`) is more likely elsewhere than down for a moment, and
    given up sooner. Nothing is tried again after `PATIENCE_S`: time-outs are long.

    Raises KeyRefused, NetworkError or StoreError; what `read` does not know is a bug and passes
    as it is.
    """
    began, attempt = time.monotonic(), 0
    while True:
        try:
            return request()
        except RagcliError:
            raise
        except Exception as error:
            _raise_own(error)
            trouble = read(error)
            if trouble is None:
                raise
            stranger = trouble.kind == "down" and not known
            most = min(manner.retries, STRANGER) if stranger else manner.retries
            late = time.monotonic() - began > PATIENCE_S
            if trouble.kind not in PASSING or attempt >= most or late:
                raise explained(trouble, manner) from error
            _wait(trouble, attempt, manner)
        attempt += 1


def explained(trouble: Trouble, manner: Manner) -> RagcliError:
    """The error to raise for a failure."""
    title, said = manner.title, f" ({_short(trouble.said)})" if trouble.said else ""
    if trouble.kind == "key":
        name = f" in {manner.key}" if manner.key else ""
        return KeyRefused(
            f"{title} does not accept the key{name}.",
            f"Put a valid key into {manner.key or 'its variable'}, in the environment or in .env.",
        )
    if trouble.kind == "down":
        return NetworkError(f"{title} cannot be reached{said}.", "Check that it runs, and where.")
    if trouble.kind == "slow":
        return NetworkError(f"{title} does not answer in time.", "Raise store.timeout_s.")
    if trouble.kind == "busy":
        return StoreError(f"{title} takes no more requests for now{said}.", "Try again later.")
    if trouble.kind == "full":
        return StoreError(f"{title} has no more room{said}.", "Make room or raise its limit.")
    if trouble.kind == "missing":
        return StoreError(f"{title} does not hold what was asked for{said}.", "Run: ragcli sync")
    return StoreError(f"{title} refused the request{said}.", "Check the settings of `store`.")


def _raise_own(error: BaseException) -> None:
    """What --offline raised inside somebody else's socket keeps its meaning."""
    for cause in causes(error):
        if isinstance(cause, RagcliError):
            raise cause


def _wait(trouble: Trouble, attempt: int, manner: Manner) -> None:
    wait = min(FIRST_S * 2**attempt, LONGEST_S) * random.uniform(0.75, 1.25)  # noqa: S311
    if trouble.again_s is not None:
        wait = min(trouble.again_s, LONGEST_S)
    if wait >= 2:
        manner.say(f"{manner.title} {PASSING[trouble.kind]}; trying again in {wait:.0f} s.")
    time.sleep(wait)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= SHOWN else line[: SHOWN - 3] + "...").rstrip(".")

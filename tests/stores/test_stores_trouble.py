"""What a failure of a store becomes: another attempt, an error with its fix, or a bug as it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ragcli.config import plug_options
from ragcli.errors import KeyRefused, NetworkError, RagcliError, StoreError
from ragcli.registry import load
from ragcli.settings import Store as Choice
from ragcli.stores import EMBEDDED, STORES, trouble
from ragcli.stores.resources import Resources
from ragcli.stores.trouble import Kind, Manner, Trouble, patiently

FAILURES: list[tuple[Kind, type[RagcliError], str, str]] = [
    ("busy", StoreError, "takes no more requests", "later"),
    ("down", NetworkError, "cannot be reached", "where"),
    ("slow", NetworkError, "in time", "store.timeout_s"),
    ("key", KeyRefused, "the key in STORE_KEY", ".env"),
    ("full", StoreError, "no more room", "raise its limit"),
    ("missing", StoreError, "does not hold", "ragcli sync"),
    ("large", StoreError, "refused", "store"),
    ("refused", StoreError, "refused", "store"),
]
PASSING = {"busy", "down", "slow"}


class Failing:
    """A request that fails so many times; the text of a failure names its kind."""

    def __init__(self, kind: str, times: int = 100) -> None:
        self.kind, self.left, self.asked = kind, times, 0

    def __call__(self) -> str:
        self.asked += 1
        self.left -= 1
        if self.left >= 0:
            raise OSError(self.kind)
        return "answer"


def read(error: Exception) -> Trouble | None:
    kind = str(error)
    known = {kind for kind, *_ in FAILURES}
    return Trouble(kind, "said so") if kind in known else None  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, not waited."""
    noted: list[float] = []
    monkeypatch.setattr(time, "sleep", noted.append)
    return noted


def manner(said: list[str], retries: int = 4) -> Manner:
    return Manner("Shelf", retries, "STORE_KEY", said.append)


@pytest.mark.parametrize(("kind", "error", "words", "fix"), FAILURES)
def test_a_failure_that_stays_is_said_once(
    kind: Kind, error: type[RagcliError], words: str, fix: str
) -> None:
    request, said = Failing(kind), list[str]()
    with pytest.raises(error, match=words) as raised:
        patiently(request, read, manner(said))
    assert fix in raised.value.fix and "Shelf" in raised.value.message
    assert request.asked == (5 if kind in PASSING else 1)
    assert all(trouble.PASSING[kind] in line for line in said)


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_a_failure_that_passes_is_no_failure(kind: str, waits: list[float]) -> None:
    assert patiently(Failing(kind, 3), read, manner([])) == "answer"
    assert len(waits) == 3 and waits == sorted(waits)


def test_a_store_that_never_answered_is_given_up_sooner() -> None:
    request = Failing("down")
    with pytest.raises(NetworkError):
        patiently(request, read, manner([], retries=20), known=False)
    assert request.asked == 1 + trouble.STRANGER


def test_nothing_is_tried_again_when_it_took_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "PATIENCE_S", -1)
    request = Failing("slow")
    with pytest.raises(NetworkError):
        patiently(request, read, manner([]))
    assert request.asked == 1


def test_the_wait_that_a_store_asks_for_is_kept(waits: list[float]) -> None:
    patiently(Failing("busy", 2), lambda error: Trouble("busy", again_s=7), manner([]))
    assert waits == [7, 7]


def test_a_bug_and_an_error_of_ours_pass_as_they_are() -> None:
    with pytest.raises(OSError, match="a bug"):
        patiently(Failing("a bug"), read, manner([]))
    inside = OSError("busy")
    inside.__cause__ = NetworkError("--offline forbids it.")

    def forbidden() -> str:
        raise inside

    with pytest.raises(NetworkError, match="offline"):
        patiently(forbidden, read, manner([]))


def test_causes_in_a_ring_are_followed_once() -> None:
    one, other = OSError("full"), OSError("the same")
    one.__cause__, other.__cause__ = other, one

    def failing() -> str:
        raise one

    with pytest.raises(StoreError, match="no more room"):
        patiently(failing, read, manner([]))


@pytest.mark.parametrize("use", sorted(STORES.keys() - {EMBEDDED}))
def test_offline_no_store_beyond_this_machine_is_made(use: str, tmp_path: Path) -> None:
    addresses = {
        "pgvector": {"url": "postgresql://me@db.example.org/db"},
        "lancedb": {"uri": "gs://bucket/folder"},
    }
    address = addresses.get(use, {"url": "https://store.example.org"})
    module = load("store", STORES, use)
    options = plug_options(module, "store", Choice(use=use, **address))  # type: ignore[arg-type]
    keys = {"PINECONE_API_KEY": "k"}
    with pytest.raises(NetworkError, match=f"--offline forbids store {use}, which would ask"):
        module.build(options, Resources(tmp_path, "c", keys, offline=True))

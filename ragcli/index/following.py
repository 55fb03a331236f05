"""What every index that follows the ledger's change log must be sure of before it reads on."""

from __future__ import annotations

from collections.abc import Callable

from ragcli.errors import IndexDamaged
from ragcli.index.ledger import Ledger


def follow(position: int, ledger: Ledger, unsound: Callable[[str], IndexDamaged]) -> int:
    """The position to reach from `position` by reading the log.

    Raises what `unsound` makes of the reason when the log no longer leads there: the ledger was
    replaced by an older one, or the log was compacted.
    """
    goal = ledger.position()
    if position > goal:
        raise unsound("it is ahead of the ledger")
    if 0 < position < ledger.floor():
        raise unsound("it is too far behind the ledger")
    return goal

"""A queue of byte strings between two threads that holds only so many bytes: back-pressure, and an end."""

from __future__ import annotations

import threading
from collections import deque


class Channel:
    """One side puts until it ends, the other gets until nothing is left; either may give up."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._items: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._ended = False
        self._wanted = True

    def put(self, item: bytes) -> bool:
        """Add an item once there is room; False where nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._held < self._most or not self._wanted)
            if self._wanted:
                self._items.append(item)
                self._held += len(item)
                self._changed.notify_all()
            return self._wanted

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more will come, or that this went wrong; the first word on it stands."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
                self._changed.notify_all()

    def get(self) -> bytes | None:
        """The next item, in order; None at the end. Raises what the other side ended with.

        ValueError where this side gave up before.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended)
            if self._items:
                item = self._items.popleft()
                self._held -= len(item)
                self._changed.notify_all()
                return item
            if not self._wanted:
                raise ValueError("nothing can be read after close")
            if self._error is not None:
                raise self._error
            return None

    def close(self) -> None:
        """Want nothing more."""
        with self._changed:
            self._wanted = False
            self._ended = True
            self._items.clear()
            self._changed.notify_all()

"""The parent's hold on a child that computes on a model: start it, talk to it in frames, end it.

Knows nothing of what is said. The child belongs to one thread at a time; `close` may come from any.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from typing import IO, Any

from ragcli.models.frames import receive, send

KEPT_LINES = 40


class Died(Exception):
    """The child is gone; the message says what is known of it, `details` what it printed last."""

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(reason)
        self.details = details


class Child:
    """A running `python -P -m MODULE` with a pipe in each direction."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **environment},
        )
        self._stop = weakref.finalize(self, _end, self._process, self._log)

    @property
    def pid(self) -> int:
        """The child's process number."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the child was alive a moment ago."""
        return self._process.poll() is None

    def send(self, header: dict[str, Any]) -> None:
        """Say something to the child. Raises Died when it is gone."""
        assert self._process.stdin
        try:
            send(self._process.stdin, header)
        except (BrokenPipeError, ValueError) as error:
            raise self._died() from error

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """The child's next message, waited for as long as it takes. Raises Died when it is gone."""
        assert self._process.stdout
        try:
            return receive(self._process.stdout)
        except (EOFError, ValueError) as error:
            raise self._died() from error

    def close(self) -> None:
        """End the child at once, whatever it does."""
        self._stop()

    def _died(self) -> Died:
        if self._log.closed:
            return Died("it was told to end", "")
        self._process.kill() if self._closed_its_pipe() else None
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()[-KEPT_LINES:]
        return Died(_reason(code, lines), "\n".join(lines))

    def _closed_its_pipe(self) -> bool:
        """Whether the child still runs a moment after it stopped talking."""
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            return True
        return False


def _reason(code: int, lines: list[str]) -> str:
    if code == -signal.SIGKILL:
        return "it was killed, as systems do when memory runs out"
    if code < 0:
        return f"it was ended by signal {-code}"
    return lines[-1].strip().rstrip(".") if lines else "it said nothing"


def _end(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    log.close()

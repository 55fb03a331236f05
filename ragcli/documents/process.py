"""The parent's hold on one parsing child: start it, talk to it against the clock, kill it, say why it died.

Knows frames and time, not documents. The clock runs only while the child is waited for, and
starts again with every frame, so that a slow reader of results never makes a file look slow.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import ragcli
from ragcli.documents import frames
from ragcli.documents.limits import held_mb

_BOOTSTRAP = (
    "import sys; sys.path.append(sys.argv[1]); from ragcli.documents.child import main; main()"
)
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "TOKENIZERS_PARALLELISM": "false"}
_READ = 1 << 20
_STARTUP_S = 60
_KEPT_ERRORS = 4000
_SAMPLING_S = 0.2
_CRASHES = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGTRAP)
_OUT_OF_MEMORY = (b"MemoryError", b"memory allocation of", b"bad_alloc", b"out of memory")


class Died(Exception):
    """The child is gone, or had to go; the message is the reason, `details` what it printed last."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.details = details


def command() -> list[str]:
    """How a child is started: with the modules that run here, and nothing of the working directory."""
    root = str(Path(ragcli.__file__).parent.parent)
    return [sys.executable, "-P", "-c", _BOOTSTRAP, root]


class Child:
    """A running child. It belongs to one thread, but `kill` may be called from any."""

    def __init__(self, argv: Sequence[str], *, timeout_s: float, memory_mb: int) -> None:
        self._timeout = timeout_s
        self._memory = memory_mb
        self._received = bytearray()
        self._errors = bytearray()
        self._complaining = True
        self._peak_mb = 0.0
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
            bufsize=0,
        )
        for stream in self._streams():
            os.set_blocking(stream.fileno(), False)

    def is_running(self) -> bool:
        """Whether the child was alive a moment ago."""
        return self._process.poll() is None

    def send(self, data: bytes) -> None:
        """Write to the child. Raises Died where it does not read in time or is gone."""
        stdin, _, _ = self._streams()
        rest = memoryview(data)
        deadline = time.monotonic() + self._timeout
        while rest:
            self._await(deadline, writing=True)
            try:
                rest = rest[os.write(stdin.fileno(), rest[:_READ]) :]
                deadline = time.monotonic() + self._timeout
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._died() from None

    def receive(self, *, starting: bool = False) -> bytes:
        """The payload of the next frame. Raises Died where none comes in time or the child is gone."""
        patience = max(self._timeout, _STARTUP_S) if starting else self._timeout
        deadline = time.monotonic() + patience
        try:
            while (payload := frames.take(self._received)) is None:
                self._await(deadline)
        except ValueError as error:
            self.stop()
            raise Died(f"The parser answered with {error}.") from None
        return payload

    def kill(self) -> None:
        """Kill the child and all that it started."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill the child and wait until nothing is left of it."""
        self.kill()
        self._reap()
        for stream in self._streams():
            stream.close()

    def _streams(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        assert process.stderr is not None
        return process.stdin, process.stdout, process.stderr

    def _await(self, deadline: float, *, writing: bool = False) -> None:
        """Wait a moment for something to read (kept) or room to write. Raises Died at the deadline.

        What is there is taken after the deadline too, as this process may have been stopped
        meanwhile; but not for ever, as a frame may come in drops.
        """
        stdin, stdout, stderr = self._streams()
        left = deadline - time.monotonic()
        sources = [stdout, stderr] if self._complaining else [stdout]
        sinks = [stdin] if writing else []
        patience = min(max(left, 0), _SAMPLING_S)
        readable, writable, _ = select.select(sources, sinks, [], patience)
        if stderr in readable:
            self._complaining = self._hear(stderr)
        if stdout in readable:
            arrived = os.read(stdout.fileno(), _READ)
            if not arrived:
                raise self._died()
            self._received += arrived
        elif not writable:
            self._peak_mb = max(self._peak_mb, held_mb(self._process.pid))
            if left <= 0:
                raise self._late()
        if left < -self._timeout:
            raise self._late()

    def _late(self) -> Died:
        self.stop()
        return Died(f"It took longer than {self._timeout:g} s.")

    def _hear(self, stderr: IO[bytes]) -> bool:
        """Keep the end of what the child complains of; say whether there can be more."""
        try:
            said = os.read(stderr.fileno(), _READ)
        except BlockingIOError:
            return True
        self._errors += said
        del self._errors[:-_KEPT_ERRORS]
        return bool(said)

    def _died(self) -> Died:
        """Why the child closed its pipe."""
        code = self._reap(grace_s=1)
        self._hear(self._streams()[2])
        self.stop()
        said = bytes(self._errors)
        details = said.decode("utf-8", "replace")
        # Native code that is refused memory aborts or crashes, mostly without a word.
        starved = code in _CRASHES and self._peak_mb > self._memory * 0.75
        if starved or any(sign in said for sign in _OUT_OF_MEMORY):
            return Died(f"It needed more than {self._memory} MB of memory.", details)
        if code == -signal.SIGXCPU:
            return self._late()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return Died(f"The parser {how}.", details)

    def _reap(self, grace_s: float = 0) -> int:
        """Wait for the child's end, with a kill after the grace; its exit code."""
        try:
            return self._process.wait(grace_s or None)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

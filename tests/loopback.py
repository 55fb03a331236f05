"""A server on this machine that answers what it was told to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What is answered: `parts` are sent one by one; with `cut` the connection breaks after them.

    `silent` waits for the end of the server before anything is sent.
    """

    status: int = 200
    parts: Sequence[bytes] = ()
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False

    def answering(self, asked: Asked) -> Reply:
        """The reply to this request; for those that depend on what was asked."""
        return self


@dataclass
class Asked:
    """A request as it came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Loopback:
    """Answers with the replies in their order, and with the last of them from then on."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.replies: list[Reply] = []
        self.asked: list[Asked] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def _body(raw: bytes, kind: str) -> dict[str, Any]:
    if kind == "application/x-ndjson":
        return {"lines": [json.loads(line) for line in raw.splitlines()]}
    held: dict[str, Any] = json.loads(raw or b"{}")
    return held


@contextmanager
def loopback(*replies: Reply) -> Iterator[Loopback]:
    """A server that gives these replies, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            return

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = _body(self.rfile.read(length), self.headers.get("content-type") or "")
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, body)
            state.asked.append(asked)
            self._answer(state.next().answering(asked))

        do_GET = do_POST

        def _answer(self, reply: Reply) -> None:
            if reply.silent:
                state.over.wait(30)
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("content-type", reply.kind)
            self.send_header("transfer-encoding", "chunked")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for part in reply.parts:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            if reply.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    state = Loopback(server.server_port)
    state.replies = list(replies)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""Reads what went wrong out of an exception of any vendor's package: facts, without judging them.

The packages wrap one another's exceptions, so the whole chain is read: an HTTP status and what
the server said, or that the connection itself failed. What a server says is text of a stranger:
it is shortened, cleaned of what a terminal would obey, and never shown with the key in it.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["status", "timeout", "refused", "broken", "garbled"]

VENDORS = {
    "anthropic",
    "cohere",
    "google",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "httpx_sse",
    "langchain_anthropic",
    "langchain_cohere",
    "langchain_deepseek",
    "langchain_google_genai",
    "langchain_mistralai",
    "langchain_ollama",
    "langchain_openai",
    "ollama",
    "openai",
}
GARBLED = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError)
"""What parsing an answer that is not as documented ends in."""
RETRY_DELAY = re.compile(r"retryDelay['\"]?:\s*['\"](\d+(?:\.\d+)?)s")
SHOWN = 200
READ = 4000


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known about a failed request.

    `status` is the HTTP status, or 0 where an error came without one (in the middle of a stream).
    `said` is what the server said, cleaned and shortened, `again_s` the wait that it asked for.
    """

    kind: Kind
    status: int = 0
    said: str = ""
    again_s: float | None = None

    @property
    def shown(self) -> str:
        """What the server said, short enough for a message."""
        return self.said if len(self.said) <= SHOWN else self.said[:SHOWN].rstrip() + "..."


def read_failure(error: BaseException, key: str) -> Failure | None:
    """The facts of an exception; None for one that is not a provider's or a network's doing."""
    chain = list(causes(error))
    status = next((found for one in chain if (found := _status(one))), 0)
    if status >= 300:
        return _answered(chain, status, key)
    for one in chain:
        if kind := _transport(one):
            return Failure(kind, said=clean(str(one), key))
    if isinstance(error, GARBLED):
        return Failure("garbled", said=clean(str(error), key))
    return _answered(chain, 0, key) if any(map(_is_vendors, chain)) else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, and what it was raised from."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def clean(text: str, key: str) -> str:
    """One line without control, bidi or zero-width characters, and without the key."""
    text = text[:READ]
    if key:
        text = text.replace(key, "***")
    return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())


def _is_vendors(error: BaseException) -> bool:
    return any(kind.__module__.split(".")[0] in VENDORS for kind in type(error).__mro__)


def _status(error: BaseException) -> int:
    if not _is_vendors(error):
        return 0
    response = getattr(error, "response", None)
    for holder, name in ((error, "status_code"), (response, "status_code"), (error, "code")):
        value = getattr(holder, name, None)
        if isinstance(value, int):
            return value
    return 0


def _answered(chain: list[BaseException], status: int, key: str) -> Failure:
    said = next((text for one in chain if (text := _said(one))), "")
    headers: Any = next((found for one in chain if (found := _headers(one)) is not None), {})
    return Failure("status", status, clean(said, key), _again(chain, headers))


def _headers(error: BaseException) -> Any:
    if not _is_vendors(error):
        return None
    own = getattr(error, "headers", None)
    return getattr(getattr(error, "response", None), "headers", None) if own is None else own


def _transport(error: BaseException) -> Kind | None:
    names = {kind.__name__ for kind in type(error).__mro__} if _is_vendors(error) else set()
    # What the reader of a stream raises for an answer that is none, though by a transport's name.
    if "SSEError" in names:
        return "garbled"
    if isinstance(error, TimeoutError) or "TimeoutException" in names:
        return "timeout"
    # The package `ollama` raises a bare ConnectionError and drops the reason.
    refusals = (ConnectionError, ConnectionRefusedError)
    if type(error) in refusals or isinstance(error, socket.gaierror) or "ConnectError" in names:
        return "refused"
    if isinstance(error, OSError) or names & {"RequestError", "StreamError"}:
        return "broken"
    return None


def _said(error: BaseException) -> str:
    """The sentence in which the server said what is wrong, from a JSON body where there is one."""
    if not _is_vendors(error):
        return ""
    for holder in (getattr(error, "body", None), getattr(error, "details", None)):
        if text := _sentence(holder):
            return text
    response = getattr(error, "response", None)
    try:
        if text := _sentence(response.text if response is not None else None):
            return text
    except (RuntimeError, ValueError):
        # The body of a stream that was not read, or that has no encoding: there is nothing to say.
        return ""
    return str(getattr(error, "error", "") or error)


def _sentence(body: Any) -> str:
    if isinstance(body, str):
        try:
            parsed = json.loads(body)
        except ValueError:
            return body
        return body if isinstance(parsed, str | int | float) else _sentence(parsed)
    if isinstance(body, list):
        return _sentence(body[0]) if body else ""
    if not isinstance(body, dict):
        return ""
    for name in ("error", "message", "detail", "msg"):
        inner = body.get(name)
        if isinstance(inner, dict | list) and (text := _sentence(inner)):
            return text
        if isinstance(inner, str) and inner:
            return _with_code(inner, body)
    return json.dumps(body)[:READ]


def _with_code(text: str, body: dict[str, Any]) -> str:
    """The sentence with the words by which a program would know it, which tell more than a status."""
    values = (body.get(name) for name in ("code", "type", "status"))
    words = [word for word in values if isinstance(word, str) and word and word not in text]
    return f"{text} ({', '.join(dict.fromkeys(words))})" if words else text


def _again(chain: list[BaseException], headers: Any) -> float | None:
    """The wait in seconds that the server asked for, in a header or, as Google does, in the body."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name)) * unit)
        except (TypeError, ValueError):
            continue
    for error in chain:
        if found := RETRY_DELAY.search(str(error)[:READ]):
            return float(found[1])
    return None

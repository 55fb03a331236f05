"""How the HTTP clients of the vendors' packages behave here. Arguments for them, no client itself."""

from __future__ import annotations

from typing import Any

from ragcli.errors import NetworkError
from ragcli.hosted.access import Access
from ragcli.hosted.failure import clean
from ragcli.hosted.provider import OPENAI

OPENAI_ONLY = ("openai-organization", "openai-project")
PROXIED = ("all://", "http://", "https://")
"""Kinds of address for which a package may mount a proxy of the environment by itself."""


def client_options(access: Access) -> dict[str, Any]:
    """Arguments of an httpx client: no redirects, and no proxy for a server on this machine.

    httpx takes a key in `Authorization` off a request that is redirected to another host, but not
    one in a header of the provider's own, and sends the prompt along in any case.
    """

    def refuse_redirect(response: Any) -> None:
        if response.is_redirect:
            target = clean(response.headers.get("location") or "an address it does not name", "")
            raise NetworkError(
                f"{access.who} redirects to {target[:200]}, which is not followed.",
                f"If you trust that address, set {access.section}.base_url to it.",
            )

    def keep_to_openai(request: Any) -> None:
        if access.provider is not OPENAI:
            for name in OPENAI_ONLY:
                request.headers.pop(name, None)

    direct = {"trust_env": False, "mounts": dict.fromkeys(PROXIED)} if access.local else {}
    return {
        "follow_redirects": False,
        "event_hooks": {"request": [keep_to_openai], "response": [refuse_redirect]},
        **direct,
    }


def seconds(access: Access) -> dict[str, float]:
    """Arguments of an httpx `Timeout`."""
    return {"timeout": access.timeout_s, "connect": access.connect_s}

"""Says what a failed request to a provider means: one sentence, and what to do about it."""

from __future__ import annotations

from ragcli.errors import (
    ContextTooLong,
    KeyRefused,
    ModelError,
    NetworkError,
    RagcliError,
    RateLimited,
)
from ragcli.hosted.access import Access
from ragcli.hosted.failure import Failure, causes, read_failure
from ragcli.hosted.provider import OLLAMA

TOO_LONG = (
    "context_length_exceeded",
    "context length",
    "context window",
    "context size",
    "context limit",
    "prompt is too long",
    "input is too long",
    "input token count",
    "too many tokens",
    "maximum number of tokens",
    "exceed_context_size",
    "request_too_large",
)
USED_UP = (
    "insufficient_quota",
    "insufficient balance",
    "insufficient credit",
    "credit balance",
    "billing_hard_limit",
    "billing_not_active",
    "payment required",
)
BAD_KEY = ("api_key_invalid", "api key not valid", "invalid api key", "invalid x-api-key")
NO_MODEL = ("invalid model", "model not exist", "model_not_found", "unknown model", "no such model")
OVERLOADED = ("overloaded", "rate_limit", "rate limit", "resource_exhausted")
BUSY = {408, 409, 425, 429, 500, 502, 503, 504, 529}


def explain(error: BaseException, access: Access) -> RagcliError | None:
    """The error to raise instead; None for an exception that is a bug and keeps its traceback."""
    if (own := _own(error)) is not None:
        return own
    failure = read_failure(error, access.key)
    return None if failure is None else judge(failure, access)


def may_pass(error: BaseException, access: Access) -> Failure | None:
    """The failure, where the same request may succeed in a moment; else None.

    A time-out is not repeated: the work may be under way, and is paid for.
    """
    if _own(error) is not None:
        return None
    failure = read_failure(error, access.key)
    if failure is None or _has(failure, USED_UP):
        return None
    busy = failure.status in BUSY or (failure.kind == "status" and _has(failure, OVERLOADED))
    return failure if busy or failure.kind == "broken" else None


def judge(failure: Failure, access: Access) -> RagcliError:
    """What a failure means."""
    if failure.kind != "status":
        return _unanswered(failure, access)
    if _has(failure, USED_UP) or failure.status == 402:
        return RateLimited(
            f"{access.who} says that the account of the key in {access.key_name} is used up.",
            "Look at its plan and billing, or choose another model.",
        )
    if failure.status in (401, 403) or _has(failure, BAD_KEY):
        return _refused(failure, access)
    if failure.status == 413 or _has(failure, TOO_LONG):
        return _too_long(access)
    if failure.status == 404 or _has(failure, NO_MODEL):
        return _missing(failure, access)
    return _busy(failure, access) or ModelError(
        f"{access.who} refused the request{_quoted(failure)}.",
        f"Check the settings of {access.section}: ragcli config show {access.section}",
    )


def _unanswered(failure: Failure, access: Access) -> RagcliError:
    url = f"{access.section}.base_url"
    if failure.kind == "timeout":
        return NetworkError(
            f"{access.who} was silent for {access.timeout_s:g} s.",
            f"Try again, or raise {access.section}.timeout_s.",
        )
    if failure.kind == "refused":
        fix = f"Start it, or check {url}." if access.local else f"Check the network, and {url}."
        return NetworkError(f"{access.who} cannot be reached at {access.url}.", fix)
    if failure.kind == "broken":
        return NetworkError(
            f"The connection to {access.who} broke off.", "Try again; check the network."
        )
    return ModelError(
        f"{access.who} answered in a form that is not its own.",
        f"Check that {url} is the address of such a server, and {access.section}.model.",
    )


def _refused(failure: Failure, access: Access) -> RagcliError:
    # What the server said is left out: some of them repeat the key, or a part of it.
    if failure.status == 403:
        return KeyRefused(
            f"{access.who} does not let the key in {access.key_name} use {access.model!r}.",
            "Check what the key is allowed to do, or choose another model.",
        )
    if not access.key:
        return KeyRefused(
            f"{access.who} asks for a key.",
            f"Put it into {access.key_name}, or name its variable in {access.section}.api_key_env.",
        )
    return KeyRefused(
        f"{access.who} does not accept the key in {access.key_name}.",
        f"Put a valid key into {access.key_name}, in the environment or in a file .env.",
    )


def _too_long(access: Access) -> RagcliError:
    return ContextTooLong(
        f"The prompt is longer than {access.model!r} at {access.provider.title} reads."
        if access.provider.url
        else f"The prompt is longer than {access.model!r} reads.",
        "Lower retrieval.top_k, or set llm.window to what the model reads."
        if access.section == "llm"
        else f"Lower {access.section}.max_tokens.",
    )


def _missing(failure: Failure, access: Access) -> RagcliError:
    named = access.model.lower() in failure.said.lower() or "model" in failure.said.lower()
    if not named:
        return NetworkError(
            f"There is no model service at {access.url}.",
            f"Check {access.section}.base_url; for many servers it ends in /v1.",
        )
    fix = f"Check {access.section}.model."
    if access.provider is OLLAMA:
        fix = f"Load it: ollama pull {access.model}; or check {access.section}.model."
    return (
        ModelError(f"{access.who} has no model {access.model!r} for this key.", fix)
        if (access.key)
        else ModelError(f"{access.who} has no model {access.model!r}.", fix)
    )


def _busy(failure: Failure, access: Access) -> RagcliError | None:
    if failure.status == 429 or (failure.status in (0, 503, 529) and _has(failure, OVERLOADED)):
        wait = f" in {failure.again_s:.0f} s" if failure.again_s else " later"
        return RateLimited(
            f"{access.who} takes no more requests for now{_quoted(failure)}.",
            f"Try again{wait}, or raise {access.section}.retries.",
        )
    if failure.status in BUSY or failure.status >= 500:
        return NetworkError(
            f"{access.who} is out of order: status {failure.status}{_quoted(failure)}.",
            "Try again later.",
        )
    if not failure.status:
        return NetworkError(
            f"{access.who} broke off with an error{_quoted(failure)}.", "Try again later."
        )
    return None


def _quoted(failure: Failure) -> str:
    return f" ({failure.shown.rstrip('.')})" if failure.said else ""


def _has(failure: Failure, words: tuple[str, ...]) -> bool:
    said = failure.said.lower()
    return any(word in said for word in words)


def _own(error: BaseException) -> RagcliError | None:
    """One of ours inside the exceptions of others, such as what --offline raises in a socket."""
    return next((one for one in causes(error) if isinstance(one, RagcliError)), None)

"""How each provider speaks, as its documentation writes it down: requests, answers, errors, streams."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from loopback import Asked, Reply

from ragcli.hosted.provider import PROVIDERS

MODEL = "test-model"
KEY = "sk-very-secret-0123456789"
SSE = "text/event-stream"
USAGE = (7, 3)


@dataclass(frozen=True)
class Dialect:
    """One provider on the wire. `errors` maps a kind of failure to a status and a body."""

    use: str
    base: str
    path: str
    streaming_path: str
    key: Callable[[dict[str, str]], str | None]
    heard: Callable[[dict[str, Any]], tuple[str, str]]
    most: Callable[[dict[str, Any]], Any]
    answer: Callable[[str, str], bytes]
    stream: Callable[[Sequence[str], str], list[bytes]]
    errors: dict[str, tuple[int, Any]]
    fault: bytes
    """An error in the middle of a stream."""
    kind: str = SSE
    ends: tuple[str, str] = ("stop", "length")
    always_streams: bool = False
    names_model_in_body: bool = True

    def reply(self, text: str, end: str | None = None) -> Reply:
        """A whole answer."""
        if self.always_streams:
            return self.streamed([text], end)
        return Reply(parts=[self.answer(text, end or self.ends[0])])

    def streamed(self, texts: Sequence[str], end: str | None = None, **more: Any) -> Reply:
        """An answer in parts."""
        return Reply(parts=self.stream(texts, end or self.ends[0]), kind=self.kind, **more)

    def error(self, kind: str, **headers: str) -> Reply:
        """A failure as this provider reports it."""
        status, body = self.errors[kind]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(status, [content], headers=headers)

    def model_of(self, asked: Asked) -> str:
        """The model that was asked for."""
        if self.names_model_in_body:
            return str(asked.body["model"])
        return asked.path.rpartition("/")[2].partition(":")[0]


def bearer(headers: dict[str, str]) -> str | None:
    """The key of an Authorization header."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else None


def event(data: Any, name: str = "") -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def openai_heard(body: dict[str, Any]) -> tuple[str, str]:
    system, user = body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    return system["content"], user["content"]


def openai_usage() -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def openai_answer(text: str, end: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": end, "logprobs": None}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": MODEL}
    return json.dumps({**body, "choices": [choice], "usage": openai_usage()}).encode()


def openai_stream(texts: Sequence[str], end: str) -> list[bytes]:
    def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        return event({**body, "choices": [choice]})

    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return [
        b": keep-alive\n\n",
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": text}) for text in texts),
        chunk({}, end),
        event({**body, "choices": [], "usage": openai_usage()}),
        event("[DONE]"),
    ]


def openai_error(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


OPENAI = Dialect(
    use="openai",
    base="/v1",
    path="/v1/chat/completions",
    streaming_path="/v1/chat/completions",
    key=bearer,
    heard=openai_heard,
    most=lambda body: body["max_completion_tokens"],
    answer=openai_answer,
    stream=openai_stream,
    errors={
        "key": (
            401,
            openai_error(
                f"Incorrect API key provided: {KEY}.", "invalid_request_error", "invalid_api_key"
            ),
        ),
        "model": (
            404,
            openai_error(
                f"The model `{MODEL}` does not exist or you do not have access to it.",
                "invalid_request_error",
                "model_not_found",
            ),
        ),
        "limit": (
            429,
            openai_error(
                "Rate limit reached for test-model in organization org-1 on requests per min (RPM)",
                "requests",
                "rate_limit_exceeded",
            ),
        ),
        "quota": (
            429,
            openai_error(
                "You exceeded your current quota, please check your plan and billing details.",
                "insufficient_quota",
                "insufficient_quota",
            ),
        ),
        "long": (
            400,
            openai_error(
                "This model's maximum context length is 128000 tokens. However, your messages"
                " resulted in 130000 tokens. Please reduce the length of the messages.",
                "invalid_request_error",
                "context_length_exceeded",
            ),
        ),
        "down": (
            500,
            openai_error("The server had an error while processing your request.", "server_error"),
        ),
    },
    fault=event(openai_error("The server had an error processing your request.", "server_error")),
)

COMPATIBLE = Dialect(
    use="openai-compatible",
    base="/v1",
    path="/v1/chat/completions",
    streaming_path="/v1/chat/completions",
    key=bearer,
    heard=openai_heard,
    most=lambda body: body["max_tokens"],
    answer=openai_answer,
    stream=openai_stream,
    errors={
        "key": (401, {"error": "Unauthorized"}),
        "model": (
            404,
            {
                "object": "error",
                "message": f"The model `{MODEL}` does not exist.",
                "type": "NotFoundError",
                "param": None,
                "code": 404,
            },
        ),
        "limit": (429, {"detail": "too many requests"}),
        "long": (
            400,
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available context size, try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 9000,
                    "n_ctx": 4096,
                }
            },
        ),
        "down": (503, b"<html><body>503 Service Temporarily Unavailable</body></html>"),
    },
    fault=event({"error": {"code": 500, "message": "out of memory", "type": "server_error"}}),
)

DEEPSEEK = Dialect(
    use="deepseek",
    base="/v1",
    path="/v1/chat/completions",
    streaming_path="/v1/chat/completions",
    key=bearer,
    heard=openai_heard,
    most=lambda body: body["max_tokens"],
    answer=openai_answer,
    stream=openai_stream,
    errors={
        "key": (
            401,
            openai_error(
                "Authentication Fails, Your api key: ****6789 is invalid",
                "authentication_error",
                "invalid_request_error",
            ),
        ),
        "model": (
            400,
            openai_error("Model Not Exist", "invalid_request_error", "invalid_request_error"),
        ),
        "limit": (429, openai_error("Rate Limit Reached", "rate_limit_error")),
        "quota": (
            402,
            openai_error("Insufficient Balance", "unknown_error", "invalid_request_error"),
        ),
        "long": (
            400,
            openai_error(
                "This model's maximum context length is 65536 tokens. However, you requested 70000"
                " tokens (69000 in the messages, 1000 in the completion).",
                "invalid_request_error",
                "invalid_request_error",
            ),
        ),
        "down": (503, openai_error("Service is too busy.", "service_unavailable_error")),
    },
    fault=event(openai_error("The server is overloaded.", "server_error")),
)


def mistral_stream(texts: Sequence[str], end: str) -> list[bytes]:
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}

    def chunk(text: str, reason: str | None = None, **more: Any) -> bytes:
        delta = {"role": "assistant", "content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return event({**body, "choices": [choice], **more})

    return [
        *(chunk(text) for text in texts),
        chunk("", end, usage=openai_usage()),
        event("[DONE]"),
    ]


MISTRAL = Dialect(
    use="mistral",
    base="/v1",
    path="/v1/chat/completions",
    streaming_path="/v1/chat/completions",
    key=bearer,
    heard=openai_heard,
    most=lambda body: body["max_tokens"],
    answer=openai_answer,
    stream=mistral_stream,
    ends=("stop", "length"),
    errors={
        "key": (401, {"detail": "Unauthorized"}),
        "model": (
            400,
            {
                "object": "error",
                "message": f"Invalid model: {MODEL}",
                "type": "invalid_model",
                "param": None,
                "code": "1500",
            },
        ),
        "limit": (
            429,
            {
                "object": "error",
                "message": "Rate limit exceeded",
                "type": "rate_limited",
                "param": None,
                "code": "1300",
            },
        ),
        "quota": (402, {"message": "Payment required"}),
        "long": (
            400,
            {
                "object": "error",
                "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model"
                " with 32768 maximum context length",
                "type": "invalid_request_prompt",
                "param": None,
                "code": "3051",
            },
        ),
        "down": (
            500,
            {
                "object": "error",
                "message": "Service unavailable.",
                "type": "internal_server_error",
                "code": "1000",
            },
        ),
    },
    fault=event({"object": "error", "message": "Service unavailable.", "type": "unavailable"}),
)


def anthropic_heard(body: dict[str, Any]) -> tuple[str, str]:
    (user,) = body["messages"]
    assert user["role"] == "user"
    return body["system"], user["content"]


def anthropic_message(**more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
        **more,
    }


def anthropic_stream(texts: Sequence[str], end: str) -> list[bytes]:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": anthropic_message()},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
    ]
    for text in texts:
        delta = {"type": "text_delta", "text": text}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    stop = {"stop_reason": end, "stop_sequence": None}
    events += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    return [event(item, item["type"]) for item in events]


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


ANTHROPIC = Dialect(
    use="anthropic",
    base="",
    path="/v1/messages",
    streaming_path="/v1/messages",
    # The SDK sends the key in either of the two, depending on its version.
    key=lambda headers: headers.get("x-api-key") or bearer(headers),
    heard=anthropic_heard,
    most=lambda body: body["max_tokens"],
    answer=lambda text, end: json.dumps(
        anthropic_message(content=[{"type": "text", "text": text}], stop_reason=end)
    ).encode(),
    stream=anthropic_stream,
    ends=("end_turn", "max_tokens"),
    errors={
        "key": (401, anthropic_error("authentication_error", "invalid x-api-key")),
        "model": (404, anthropic_error("not_found_error", f"model: {MODEL}")),
        "limit": (
            429,
            anthropic_error(
                "rate_limit_error",
                "This request would exceed your organization's rate limit of 50 requests per minute.",
            ),
        ),
        "quota": (
            400,
            anthropic_error(
                "invalid_request_error",
                "Your credit balance is too low to access the Anthropic API."
                " Please go to Plans & Billing to upgrade or purchase credits.",
            ),
        ),
        "long": (
            400,
            anthropic_error(
                "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"
            ),
        ),
        "down": (529, anthropic_error("overloaded_error", "Overloaded")),
    },
    fault=event(anthropic_error("overloaded_error", "Overloaded"), "error"),
)


def google_heard(body: dict[str, Any]) -> tuple[str, str]:
    (user,) = body["contents"]
    assert user["role"] == "user"
    return body["systemInstruction"]["parts"][0]["text"], user["parts"][0]["text"]


def google_chunk(text: str, end: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "index": 0,
    }
    if end:
        candidate["finishReason"] = end
    return {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10},
        "modelVersion": MODEL,
        "responseId": "r1",
    }


def google_error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


GOOGLE = Dialect(
    use="google",
    base="",
    path=f"/v1beta/models/{MODEL}:generateContent",
    streaming_path=f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse",
    key=lambda headers: headers.get("x-goog-api-key"),
    heard=google_heard,
    most=lambda body: body["generationConfig"]["maxOutputTokens"],
    answer=lambda text, end: json.dumps(google_chunk(text, end)).encode(),
    stream=lambda texts, end: [
        *(event(google_chunk(text, None)) for text in texts[:-1]),
        event(google_chunk(texts[-1], end)),
    ],
    ends=("STOP", "MAX_TOKENS"),
    names_model_in_body=False,
    errors={
        "key": (
            400,
            google_error(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                },
            ),
        ),
        "model": (
            404,
            google_error(
                404,
                "NOT_FOUND",
                f"models/{MODEL} is not found for API version v1beta, or is not supported for"
                " generateContent. Call ListModels to see the list of available models.",
            ),
        ),
        "limit": (
            429,
            google_error(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details.",
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.01s"},
            ),
        ),
        "long": (
            400,
            google_error(
                400,
                "INVALID_ARGUMENT",
                "The input token count (1200000) exceeds the maximum number of tokens allowed"
                " (1048576).",
            ),
        ),
        "down": (503, google_error(503, "UNAVAILABLE", "The model is overloaded.")),
    },
    fault=event(google_error(503, "UNAVAILABLE", "The model is overloaded.")),
)


def cohere_usage() -> dict[str, Any]:
    units = {"input_tokens": 7, "output_tokens": 3}
    return {"billed_units": units, "tokens": units}


def cohere_answer(text: str, end: str) -> bytes:
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    body = {"id": "c1", "finish_reason": end, "message": message, "usage": cohere_usage()}
    return json.dumps(body).encode()


def cohere_stream(texts: Sequence[str], end: str) -> list[bytes]:
    def content(kind: str, **inner: Any) -> dict[str, Any]:
        return {"type": kind, "index": 0, "delta": {"message": {"content": inner}}}

    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    events = [
        {"type": "message-start", "id": "c1", "delta": {"message": start}},
        content("content-start", type="text", text=""),
        *(content("content-delta", text=text) for text in texts),
        {"type": "content-end", "index": 0},
        {
            "type": "message-end",
            "id": "c1",
            "delta": {"finish_reason": end, "usage": cohere_usage()},
        },
    ]
    return [*(event(item, item["type"]) for item in events), event("[DONE]")]


COHERE = Dialect(
    use="cohere",
    base="",
    path="/v2/chat",
    streaming_path="/v2/chat",
    key=bearer,
    heard=openai_heard,
    most=lambda body: body["max_tokens"],
    answer=cohere_answer,
    stream=cohere_stream,
    ends=("COMPLETE", "MAX_TOKENS"),
    errors={
        "key": (401, {"id": "e1", "message": "invalid api token"}),
        "model": (
            404,
            {
                "id": "e1",
                "message": f"model '{MODEL}' not found, make sure the correct model ID was used"
                " and that you have access to the model.",
            },
        ),
        "limit": (
            429,
            {
                "id": "e1",
                "message": "You are using a Trial key, which is limited to 20 API calls / minute.",
            },
        ),
        "quota": (402, {"id": "e1", "message": "Please add or update your payment method."}),
        "long": (
            400,
            {
                "id": "e1",
                "message": "too many tokens: total number of tokens in the prompt cannot exceed"
                " 128000 - received 130000. Try using a shorter prompt.",
            },
        ),
        "down": (500, {"id": "e1", "message": "internal server error"}),
    },
    fault=event(
        {
            "type": "message-end",
            "id": "c1",
            "delta": {"finish_reason": "ERROR", "usage": cohere_usage()},
        },
        "message-end",
    ),
)


def ollama_heard(body: dict[str, Any]) -> tuple[str, str]:
    assert body["options"]["num_ctx"] >= 4096, "Ollama cuts the prompt to its own default"
    return openai_heard(body)


def ollama_line(text: str, **more: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    line = {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False}
    return json.dumps({**line, **more}).encode() + b"\n"


def ollama_stream(texts: Sequence[str], end: str) -> list[bytes]:
    counts = {"prompt_eval_count": 7, "eval_count": 3, "total_duration": 1, "load_duration": 1}
    last = ollama_line("", done=True, done_reason=end, **counts)
    return [*(ollama_line(text) for text in texts), last]


OLLAMA = Dialect(
    use="ollama",
    base="",
    path="/api/chat",
    streaming_path="/api/chat",
    key=bearer,
    heard=ollama_heard,
    most=lambda body: body["options"]["num_predict"],
    answer=lambda text, end: b"".join(ollama_stream([text], end)),
    stream=ollama_stream,
    kind="application/x-ndjson",
    always_streams=True,
    errors={
        "key": (401, {"error": "unauthorized"}),
        "model": (404, {"error": f"model '{MODEL}' not found"}),
        "limit": (429, {"error": "too many concurrent requests"}),
        "long": (400, {"error": "the input length exceeds the context length"}),
        "down": (500, {"error": "model requires more system memory (8.0 GiB) than is available"}),
    },
    fault=json.dumps({"error": "an error was encountered while running the model"}).encode()
    + b"\n",
)

DIALECTS = (OPENAI, COMPATIBLE, ANTHROPIC, GOOGLE, DEEPSEEK, COHERE, MISTRAL, OLLAMA)
KEYS = {provider.key: KEY for provider in PROVIDERS.values()}

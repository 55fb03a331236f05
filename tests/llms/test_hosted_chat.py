"""Every hosted plug against a server that speaks its provider's wire format: one suite for all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from dialects import COHERE, COMPATIBLE, DIALECTS, GOOGLE, KEY, KEYS, MODEL, OLLAMA, OPENAI, Dialect
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from loopback import Reply, loopback

from ragcli.errors import (
    ContextTooLong,
    KeyRefused,
    ModelError,
    NetworkError,
    RagcliError,
    RateLimited,
)
from ragcli.hosted.provider import PROVIDERS
from ragcli.llms import LLMS, Resources
from ragcli.llms.hosted_options import ChatOptions
from ragcli.llms.llm import Llm
from ragcli.registry import load

PROMPT = [SystemMessage("Answer briefly."), HumanMessage("Where is the “key”?\nÄ 日本")]
PARTS = ["Under ", "the “mat”", " [1]."]

every = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.use)


def test_the_suite_knows_every_hosted_plug() -> None:
    hosted = {use for use in LLMS if issubclass(load("llm", LLMS, use).Options, ChatOptions)}
    assert {dialect.use for dialect in DIALECTS} == hosted


def build(dialect: Dialect, url: str, said: list[str] | None = None, **options: Any) -> Llm:
    plug = load("llm", LLMS, dialect.use)
    given = {"model": MODEL, "base_url": url + dialect.base, "retries": 2, **options}
    say = (said if said is not None else []).append
    resources = Resources(Path("/nowhere"), keys=KEYS, on_progress=say)
    llm: Llm = plug.build(plug.Options(**given), resources)
    return llm


def fails(llm: Llm, *, streamed: bool = False) -> RagcliError:
    """The error of asking, which is one sentence with a fix and never shows the key."""
    with pytest.raises(RagcliError) as caught:
        if streamed:
            list(llm.model.stream(PROMPT))
        else:
            llm.model.invoke(PROMPT)
    error = caught.value
    assert error.message.endswith(".")
    assert error.fix
    shown = f"{error!r} {error.message} {error.fix}"
    assert KEY not in shown
    assert error.message.isprintable()
    return error


@every
def test_what_is_sent_and_what_comes_back(dialect: Dialect) -> None:
    with loopback(dialect.reply("Under the “mat” [1].")) as server:
        llm = build(dialect, server.url, max_new_tokens=77)
        answer = llm.model.invoke(PROMPT)
    assert isinstance(llm.model, BaseChatModel)
    assert answer.text == "Under the “mat” [1]."
    (asked,) = server.asked
    assert asked.path == (dialect.streaming_path if dialect.always_streams else dialect.path)
    assert dialect.key(asked.headers) == KEY
    assert dialect.model_of(asked) == MODEL
    assert dialect.heard(asked.body) == (PROMPT[0].content, PROMPT[1].content)
    assert dialect.most(asked.body) == 77
    assert llm.name == f"{dialect.use}:{MODEL}"
    assert (llm.max_new_tokens, llm.exact) == (77, False)
    usage = answer.usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"]) == (7, 3)


@every
def test_streaming_hands_on_each_part(dialect: Dialect) -> None:
    with loopback(dialect.streamed(PARTS)) as server:
        chunks = list(build(dialect, server.url).model.stream(PROMPT))
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert [chunk.text for chunk in chunks if chunk.text] == PARTS
    (asked,) = server.asked
    assert asked.path == dialect.streaming_path
    if dialect.names_model_in_body:
        assert asked.body["stream"] is True
    if dialect.use != "openai-compatible":
        merged = chunks[0]
        for chunk in chunks[1:]:
            merged += chunk
        # langchain-cohere leaves the usage of a stream where it came.
        assert merged.usage_metadata or merged.additional_kwargs["token_count"]


@every
def test_parts_arrive_before_the_answer_ends(dialect: Dialect) -> None:
    parts = dialect.streamed(PARTS).parts
    with loopback(Reply(parts=parts, kind=dialect.kind)) as server:
        stream = build(dialect, server.url).model.stream(PROMPT)
        texts = (chunk.text for chunk in stream if chunk.text)
        assert next(texts) == PARTS[0]
        stream.close()


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("key", KeyRefused),
        ("model", ModelError),
        ("long", ContextTooLong),
        ("quota", RateLimited),
    ],
)
def test_a_refusal_is_said_at_once(
    dialect: Dialect, kind: str, expected: type[RagcliError], streamed: bool
) -> None:
    if kind not in dialect.errors:
        pytest.skip(f"{dialect.use} has no such error of its own")
    with loopback(dialect.error(kind)) as server:
        error = fails(build(dialect, server.url), streamed=streamed)
    assert type(error) is expected
    assert len(server.asked) == 1, "a refusal is not asked again"
    if kind == "key":
        assert PROVIDERS[dialect.use].key in error.message + error.fix
    if kind == "model":
        assert MODEL in error.message
        assert "llm.model" in error.fix


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_busy_server_is_asked_again(dialect: Dialect, streamed: bool) -> None:
    busy = dialect.error("limit", **{"retry-after": "0.01"})
    good = dialect.streamed(PARTS) if streamed else dialect.reply("".join(PARTS))
    with loopback(busy, busy, good) as server:
        llm = build(dialect, server.url)
        if streamed:
            text = "".join(chunk.text for chunk in llm.model.stream(PROMPT))
        else:
            text = llm.model.invoke(PROMPT).text
    assert text == "".join(PARTS)
    assert len(server.asked) == 3


@every
def test_a_server_that_stays_busy_is_an_error(dialect: Dialect) -> None:
    with loopback(dialect.error("limit", **{"retry-after": "0.01"})) as server:
        error = fails(build(dialect, server.url))
    assert isinstance(error, RateLimited)
    assert len(server.asked) == 3, "two further attempts, and none by the vendor's package"


@every
def test_a_long_wait_is_not_waited_for(dialect: Dialect) -> None:
    if dialect is GOOGLE:
        pytest.skip("Google names the wait in the body")
    with loopback(dialect.error("limit", **{"retry-after": "3600"})) as server:
        error = fails(build(dialect, server.url))
    assert isinstance(error, RateLimited)
    assert "3600 s" in error.fix
    assert len(server.asked) == 1


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_server_out_of_order_is_asked_again_then_an_error(
    dialect: Dialect, streamed: bool
) -> None:
    with loopback(dialect.error("down", **{"retry-after": "0.01"})) as server:
        error = fails(build(dialect, server.url, retries=1), streamed=streamed)
    assert isinstance(error, NetworkError | RateLimited)
    assert len(server.asked) == 2


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_silent_server_is_given_up_on_and_not_asked_again(
    dialect: Dialect, streamed: bool
) -> None:
    with loopback(Reply(silent=True)) as server:
        error = fails(build(dialect, server.url, timeout_s=0.3), streamed=streamed)
    assert isinstance(error, NetworkError)
    assert "silent for 0.3 s" in error.message
    assert "llm.timeout_s" in error.fix
    assert len(server.asked) == 1


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_server_that_is_not_there(dialect: Dialect, streamed: bool) -> None:
    with loopback(Reply()) as server:
        url = server.url
    started = time.monotonic()
    error = fails(build(dialect, url), streamed=streamed)
    assert isinstance(error, NetworkError)
    assert "cannot be reached" in error.message
    assert "llm.base_url" in error.fix
    assert time.monotonic() - started < 20


@every
def test_a_stream_that_breaks_is_an_error_after_what_came(dialect: Dialect) -> None:
    reply = dialect.streamed(PARTS)
    whole = list(reply.parts)
    cut = next(i for i, part in enumerate(whole) if PARTS[1].encode() in part or b"mat" in part)
    got: list[str] = []
    broken = Reply(parts=whole[: cut + 1], kind=dialect.kind, cut=True)
    with loopback(broken) as server, pytest.raises(NetworkError, match="broke off"):
        for chunk in build(dialect, server.url).model.stream(PROMPT):
            got.append(chunk.text)
    assert "".join(got).startswith(PARTS[0])
    assert len(server.asked) == 1, "what was handed on is not asked for again"


@every
def test_a_stream_that_ends_too_early_is_an_error(dialect: Dialect) -> None:
    whole = list(dialect.streamed(PARTS).parts)
    at = next(i for i, part in enumerate(whole) if b"mat" in part)
    with loopback(Reply(parts=whole[: at + 1], kind=dialect.kind)) as server:
        error = fails(build(dialect, server.url), streamed=True)
    assert isinstance(error, NetworkError)
    assert "broke off" in error.message


@every
def test_an_error_inside_a_stream_is_an_error(dialect: Dialect) -> None:
    whole = list(dialect.streamed(PARTS).parts)
    at = next(i for i, part in enumerate(whole) if b"mat" in part)
    parts = [*whole[: at + 1], dialect.fault]
    with loopback(Reply(parts=parts, kind=dialect.kind)) as server:
        error = fails(build(dialect, server.url), streamed=True)
    assert isinstance(error, RagcliError)
    assert len(server.asked) == 1


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "page",
    [b"<html><body>Welcome to the router</body></html>", b"{}", b"[1, 2]", b'{"choices": "no"}'],
    ids=["html", "empty", "list", "wrong"],
)
def test_an_answer_of_something_else_is_an_error(
    dialect: Dialect, page: bytes, streamed: bool
) -> None:
    kind = "text/html" if page.startswith(b"<") else "application/json"
    with loopback(Reply(parts=[page], kind=kind)) as server:
        fails(build(dialect, server.url), streamed=streamed)


@every
def test_what_a_server_says_is_cleaned(dialect: Dialect) -> None:
    hostile = f"\x1b]0;owned\x07 \u202ekey {KEY} " + "x" * 5000
    body = {"error": {"message": hostile, "type": "odd", "code": None}, "message": hostile}
    with loopback(Reply(418, [json.dumps(body).encode()])) as server:
        error = fails(build(dialect, server.url))
    assert isinstance(error, ModelError)
    assert "owned" in error.message
    assert len(error.message) < 400


@every
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_carries_nothing(
    dialect: Dialect, status: int, streamed: bool
) -> None:
    with loopback(dialect.reply("stolen")) as other:
        target = f"http://localhost:{other.port}/v1/chat/completions"
        with loopback(Reply(status, [b""], headers={"location": target})) as server:
            error = fails(build(dialect, server.url), streamed=streamed)
        assert other.asked == []
    assert isinstance(error, NetworkError)
    assert f"localhost:{other.port}" in error.message


@every
def test_an_answer_at_its_limit_is_an_answer_and_an_empty_one_is_not(dialect: Dialect) -> None:
    cut = dialect.ends[1]
    with loopback(dialect.streamed(PARTS, cut), dialect.streamed([""], cut)) as server:
        llm = build(dialect, server.url)
        chunks = list(llm.model.stream(PROMPT))
        error = fails(llm, streamed=True)
    assert "".join(chunk.text for chunk in chunks) == "".join(PARTS)
    assert [c for c in chunks if c.response_metadata.get("finish_reason") == "length"]
    assert isinstance(error, ModelError)
    assert "max_new_tokens" in error.fix


@pytest.mark.parametrize(
    ("dialect", "reason"), [(OPENAI, "content_filter"), (GOOGLE, "SAFETY"), (COHERE, "ERROR")]
)
def test_an_answer_that_was_withheld_is_an_error(dialect: Dialect, reason: str) -> None:
    with loopback(dialect.streamed(PARTS, reason)) as server:
        assert isinstance(fails(build(dialect, server.url), streamed=True), RagcliError)


def test_a_wait_is_told() -> None:
    said: list[str] = []
    with loopback(OPENAI.error("limit", **{"retry-after": "1"}), OPENAI.reply("yes")) as server:
        assert build(OPENAI, server.url, said).model.invoke(PROMPT).text == "yes"
    assert said == [f"OpenAI at 127.0.0.1:{server.port} is busy; trying again in 1 s."]


def test_a_server_without_keys_is_sent_none_of_ours() -> None:
    for dialect in (COMPATIBLE, OLLAMA):
        with loopback(dialect.reply("yes")) as server:
            plug = load("llm", LLMS, dialect.use)
            options = plug.Options(model=MODEL, base_url=server.url + dialect.base)
            llm = plug.build(options, Resources(Path("/nowhere"), keys={"OPENAI_API_KEY": KEY}))
            assert llm.model.invoke(PROMPT).text == "yes"
            assert KEY not in str(server.asked[0])


def test_the_key_is_not_in_any_repr() -> None:
    with loopback(Reply()) as server:
        for dialect in DIALECTS:
            llm = build(dialect, server.url)
            assert KEY not in repr(llm), dialect.use
            assert KEY not in str(llm.model), dialect.use

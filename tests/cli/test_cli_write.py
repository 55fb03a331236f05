"""Written answers as their users get them: a small real model on this machine, and a server on loopback."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from asking import make_endless
from calling import Run, environment
from dialects import COMPATIBLE
from loopback import Loopback, Reply, loopback

CODES = {
    "codes.md": "# Codes\n\nThe code of the lantern is 4821.\n\nIt was painted in the spring.\n",
    "harbour.txt": "The code of the harbour is 7350.\nAsk at the desk when it is closed.\n",
}
ASKED = "What is the code of the harbour?"
SAID = "The code of the harbour is 7350 [1]."


@pytest.fixture(scope="session")
def codes(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """A data directory with two documents; tests only read it."""
    home = tmp_path_factory.mktemp("codes")
    for name, text in CODES.items():
        (home / name).write_text(text)
    command = [sys.executable, "-m", "ragcli", "ingest", *CODES, "--data-dir", str(home / "data")]
    subprocess.run(
        command,
        cwd=home,
        env=environment(home, cache_dir),
        capture_output=True,
        check=True,
        timeout=300,
    )
    return home / "data"


def reply(*parts: str) -> Reply:
    """An answer as an OpenAI-compatible server streams it."""
    return COMPATIBLE.streamed(parts)


@pytest.fixture
def served() -> Iterator[Loopback]:
    """A server that says what SAID is, a word at a time."""
    with loopback(reply(*re.findall(r"\S+\s*", SAID))) as server:
        yield server


def by(server: Loopback) -> list[str]:
    """The flags that choose the server's model."""
    return ["--llm", "openai-compatible:m", "--set", f"llm.base_url={server.url}/v1"]


def answered(shown: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert shown.returncode == 0, shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def local(model: Path, quantization: str = "none") -> list[str]:
    """The flags that choose the model on this machine."""
    return ["--llm", f"huggingface:{model}", "--set", f"llm.quantization={quantization}",
            "--set", "llm.device=cpu"]  # fmt: skip


def test_a_local_model_answers_from_the_documents(
    ragcli: Run, codes: Path, chat_model: Path
) -> None:
    found = answered(ragcli("query", ASKED, "--data-dir", str(codes), *local(chat_model), "--json"))
    assert (found["status"], found["answer_kind"]) == ("answered", "written")
    assert found["answer"] == SAID
    [citation] = found["citations"]
    assert citation["document"].endswith("harbour.txt") and citation["lines"] == [1, 1]
    assert citation["quote"] == "The code of the harbour is 7350." and citation["supported"]
    assert found["sentences"] == [
        {"text": SAID.replace(" [1]", ""), "citations": [1], "supported": True, "reason": None}
    ]
    assert found["llm"] == f"huggingface:{chat_model}"
    assert {"llm_load", "first_token", "generate", "answer", "total"} <= found["timings_ms"].keys()


@pytest.mark.parametrize(
    ("quantization", "flag"),
    [("4bit", "--stream"), ("8bit", "--no-stream"), ("int8-cpu", "--stream")],
)
def test_quantized_and_streamed_or_not_it_says_the_same(
    ragcli: Run, codes: Path, chat_model: Path, quantization: str, flag: str
) -> None:
    given = ["--data-dir", str(codes), *local(chat_model, quantization)]
    shown = ragcli("query", ASKED, *given, flag, "--strict")
    assert shown.returncode == 0, shown.stderr
    assert re.fullmatch(rf"{re.escape(SAID)}\n\n\[1\] \S+harbour\.txt:1\n", shown.stdout)


def test_a_model_that_says_that_the_documents_do_not_answer_exits_3(
    ragcli: Run, codes: Path
) -> None:
    with loopback(reply("The documents", " do not say.")) as server:
        shown = ragcli("query", ASKED, "--data-dir", str(codes), *by(server), "--stream")
    assert (shown.returncode, shown.stdout) == (3, "")
    assert "do not contain an answer" in shown.stderr and "harbour.txt" in shown.stderr
    assert "do not say" not in shown.stderr


def test_what_a_server_says_is_streamed_cited_and_listed(
    ragcli: Run, codes: Path, served: Loopback
) -> None:
    for flag in ("--stream", "--no-stream"):
        shown = ragcli("query", ASKED, "--data-dir", str(codes), *by(served), flag)
        assert shown.returncode == 0, shown.stderr
        assert re.fullmatch(rf"{re.escape(SAID)}\n\n\[1\] \S+harbour\.txt:1\n", shown.stdout)
    [first, _] = served.asked
    assert first.body["messages"][-1]["content"].endswith(f"Question: {ASKED}")
    assert str(codes.parent) not in json.dumps(first.body)


def test_a_sentence_that_is_not_supported_is_marked_and_strict_exits_4(
    ragcli: Run, codes: Path
) -> None:
    said = "The code of the harbour is 7350 [1]. ", "The code of the lantern is 4822 [2]."
    with loopback(reply(*said)) as server:
        given = ["query", ASKED, "--data-dir", str(codes), *by(server)]
        shown = ragcli(*given, "--strict")
        assert shown.returncode == 4
        assert "is 4822 [2]. [unsupported]\n" in shown.stdout
        assert "does not give 4822" in shown.stderr
        assert ragcli(*given).returncode == 0
        found = json.loads(ragcli(*given, "--json", "--strict").stdout)
    assert [one["supported"] for one in found["sentences"]] == [True, False]
    assert [one["supported"] for one in found["citations"]] == [True, False]


def test_without_hits_and_for_a_search_no_model_is_asked(
    ragcli: Run, codes: Path, served: Loopback
) -> None:
    nothing = ragcli(
        "query", ASKED, "--data-dir", str(codes), *by(served), "--filter", "path:no/**"
    )
    assert (nothing.returncode, nothing.stdout) == (3, "")
    model = ["--set", "llm.use=openai-compatible", "--set", "llm.model=m"]
    hits = ragcli("search", ASKED, "--data-dir", str(codes), *model, "--json")
    assert hits.returncode == 0 and json.loads(hits.stdout)["llm"] is None
    assert served.asked == []


def test_a_batch_is_answered_in_order_by_one_model(
    ragcli: Run, codes: Path, tmp_path: Path
) -> None:
    (tmp_path / "questions.txt").write_text(f"{ASKED}\nWhat is the code of the lantern?\n")
    lantern = "The code of the lantern is 4821 [1]."
    with loopback(reply(SAID), reply(lantern)) as server:
        shown = ragcli(
            "query", "--batch", "questions.txt", "--jsonl", "--data-dir", str(codes), *by(server)
        )
        assert ragcli("query", "--batch", "questions.txt", "--stream", *by(server)).returncode == 2
    found = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [one["answer"] for one in found] == [SAID, lantern], shown.stderr
    assert {one["llm"] for one in found} == {"openai-compatible:m"}


def test_llm_none_quotes_whatever_is_configured(ragcli: Run, codes: Path, served: Loopback) -> None:
    configured = {"RAGCLI_LLM__USE": "openai-compatible", "RAGCLI_LLM__MODEL": "m"}
    shown = ragcli(
        "query", ASKED, "--data-dir", str(codes), "--llm", "none", "--json", env=configured
    )
    found = answered(shown)
    assert (found["answer_kind"], found["llm"], found["sentences"]) == ("quoted", None, [])


def test_nothing_that_steers_a_terminal_gets_through_in_pieces(ragcli: Run, codes: Path) -> None:
    hostile = "The code of the harbour\x1b", "[31m is\r", "\n7350\x07 \u202e", "[1].\u200b"
    with loopback(reply(*hostile)) as server:
        given = ["query", ASKED, "--data-dir", str(codes), *by(server)]
        pieces, whole = ragcli(*given, "--stream"), ragcli(*given, "--no-stream")
    assert pieces.returncode == 0, pieces.stderr
    assert pieces.stdout == whole.stdout
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b\u202e]", pieces.stdout)


def test_a_hosted_model_is_refused_offline_and_a_missing_key_is_named(
    ragcli: Run, codes: Path
) -> None:
    given = ["query", ASKED, "--data-dir", str(codes), "--llm", "openai:gpt-4.1-mini"]
    offline = ragcli(*given, "--offline", env={"OPENAI_API_KEY": "sk-secret"})
    assert offline.returncode == 1 and "--offline" in offline.stderr
    keyless = ragcli(*given)
    assert keyless.returncode == 2 and "OPENAI_API_KEY" in keyless.stderr
    assert offline.stdout == keyless.stdout == ""


def test_a_key_from_a_dotenv_file_reaches_the_server(
    ragcli: Run, codes: Path, tmp_path: Path, served: Loopback
) -> None:
    (tmp_path / ".env").write_text("MY_KEY=sk-from-the-file\n")
    model = [*by(served), "--set", "llm.api_key_env=MY_KEY"]
    shown = ragcli("query", ASKED, "--data-dir", str(codes), *model)
    assert shown.returncode == 0, shown.stderr
    assert served.asked[0].headers["authorization"] == "Bearer sk-from-the-file"


def test_a_name_that_is_no_model_is_a_mistake_of_usage(ragcli: Run, codes: Path) -> None:
    for name in ("openia:x", "openai", "openai:"):
        shown = ragcli("query", ASKED, "--data-dir", str(codes), "--llm", name)
        assert (shown.returncode, shown.stdout) == (2, "")


def test_a_model_for_an_answer_that_is_to_be_quoted_is_a_contradiction(
    ragcli: Run, codes: Path
) -> None:
    given = ["query", ASKED, "--data-dir", str(codes), "--set", "answer.use=quote"]
    shown = ragcli(*given, "--llm", "openai:gpt-4.1")
    assert (shown.returncode, shown.stdout) == (2, "") and "answer.use is quote" in shown.stderr
    assert ragcli(*given, "--llm", "none").returncode in (0, 3)


def test_config_check_names_what_is_wrong_with_a_template(ragcli: Run, tmp_path: Path) -> None:
    (tmp_path / "ragcli.yaml").write_text(
        "answer:\n  system: 'Be {brief}.'\n  prompt: '{passages}'\n  passage: '{n} {text.x}'\n"
        "llm: {use: openai, model: gpt-4.1, temperatur: 1}\n"
    )
    shown = ragcli("config", "check")
    assert shown.returncode == 2
    for words in (
        "{brief} is not known",
        "{question} is missing",
        "{text.x} is not a plain variable",
    ):
        assert words in shown.stderr
    assert "did you mean 'temperature'" in shown.stderr


def test_doctor_names_the_model_its_key_and_its_host(
    ragcli: Run, codes: Path, chat_model: Path
) -> None:
    def lines(*flags: str, **env: str) -> dict[str, str]:
        shown = ragcli("doctor", "--data-dir", str(codes), *flags, "--json", env=env)
        return {
            one["part"]: f"{one['ok']} {one['detail']}"
            for one in json.loads(shown.stdout)["findings"]
        }

    openai = ["--set", "llm.use=openai", "--set", "llm.model=gpt-4.1"]
    missing = lines(*openai)
    assert missing["llm"] == "False openai:gpt-4.1 at api.openai.com, key OPENAI_API_KEY is not set"
    assert "api.openai.com" in missing["network"]
    present = lines(*openai, OPENAI_API_KEY="sk-secret")
    assert present["llm"].endswith("is set") and "sk-secret" not in str(present)
    local = lines("--set", "llm.use=huggingface", "--set", f"llm.model={chat_model}")
    assert local["llm"].startswith(f"True huggingface:{chat_model} from folder")
    assert "quotes" in lines()["llm"]


def test_a_reader_that_leaves_while_it_is_written_is_no_error(
    codes: Path, tmp_path: Path, cache_dir: Path
) -> None:
    text = " ".join(f"The code of the harbour is 7350 [1], line {n}." for n in range(300))
    with loopback(reply(*re.findall(r"\S+\s*", text))) as server:
        program = " ".join(
            [sys.executable, "-m", "ragcli", "query", f"'{ASKED}'", "--stream", *by(server)]
        )
        shown = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{program} --data-dir '{codes}' | head -c 20"],
            env=environment(tmp_path / "home", cache_dir), capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
    assert (shown.returncode, shown.stdout) == (0, text[:20])
    assert "Traceback" not in shown.stderr


def test_an_interrupt_while_it_is_written_exits_130(
    codes: Path, tmp_path: Path, cache_dir: Path
) -> None:
    with loopback(Reply(silent=True)) as server:
        child = subprocess.Popen(
            [sys.executable, "-m", "ragcli", "query", ASKED, "--data-dir", str(codes), *by(server)],
            env=environment(tmp_path / "home", cache_dir), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        until(lambda: bool(server.asked) or child.poll() is not None)
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, ""), errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("while_it", ["loads", "writes"])
def test_an_interrupt_kills_the_child_that_computes(
    codes: Path, tmp_path: Path, cache_dir: Path, chat_model: Path, while_it: str
) -> None:
    make_endless(chat_model, tmp_path / "endless")
    flags = [*local(tmp_path / "endless"), "--stream", "--set", "llm.max_new_tokens=800"]
    with subprocess.Popen(
        [sys.executable, "-m", "ragcli", "query", ASKED, "--data-dir", str(codes), *flags],
        env=environment(tmp_path / "home", cache_dir), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout
        until(lambda: bool(children(process.pid)) or process.poll() is not None)
        computing = children(process.pid)
        begun = process.stdout.read(1) if while_it == "writes" else ""
        # An interrupt at the terminal reaches the whole group.
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert begun if while_it == "writes" else out == ""
    assert "Traceback" not in errors
    until(lambda: not any(Path(f"/proc/{child}").exists() for child in computing))


def test_on_a_terminal_it_is_streamed_without_being_asked(
    codes: Path, tmp_path: Path, cache_dir: Path, served: Loopback
) -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "ragcli", "query", ASKED, "--data-dir", str(codes), *by(served)],
        env={**environment(tmp_path / "home", cache_dir), "TERM": "dumb"},
        stdout=theirs, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(theirs)
    reads: list[bytes] = []
    while True:
        try:
            got = os.read(ours, 4096)
        except OSError:
            break
        if not got:
            break
        reads.append(got)
    child.communicate(timeout=60)
    os.close(ours)
    assert child.returncode == 0
    assert b"".join(reads).decode().startswith(f"{SAID}\r\n\r\n[1] ")


def children(pid: int) -> Sequence[int]:
    """The processes that this one started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("this system does not list the children of a process")
    try:
        return [int(child) for child in listed.read_text().split()]
    except OSError:
        return []


def until(done: Any) -> None:
    """Wait for something to happen; give up after two minutes."""
    for _ in range(2400):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")

"""What the hosted plugs stand on: names, addresses, keys, defaults, the estimate of tokens, laziness."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from loopback import Reply, loopback
from tokenizers import Tokenizer

from ragcli.embedders import describe
from ragcli.errors import ConfigError, MissingKey, NetworkError, RagcliError, UsageError
from ragcli.hosted.estimate import estimate_tokens
from ragcli.hosted.failure import clean
from ragcli.hosted.hosts import checked_url, is_local
from ragcli.hosted.provider import PROVIDERS
from ragcli.llms import LLMS, Resources
from ragcli.llms.llm import Llm
from ragcli.llms.naming import parse
from ragcli.registry import load
from ragcli.settings import Embedder

KEYS = {provider.key: "sk-1" for provider in PROVIDERS.values()}
ROOT = Path(__file__).parents[2]


def build(use: str, model: str, offline: bool = False, **options: Any) -> Llm:
    plug = load("llm", LLMS, use)
    resources = Resources(Path("/nowhere"), offline=offline, keys=KEYS)
    llm: Llm = plug.build(plug.Options(model=model, **options), resources)
    return llm


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:gpt-4.1-mini", ("openai", "gpt-4.1-mini")),
        ("ollama:llama3.2:3b", ("ollama", "llama3.2:3b")),
        (" OpenAI : gpt-4o ", ("openai", "gpt-4o")),
        ("openai-compatible:meta/llama", ("openai-compatible", "meta/llama")),
        ("huggingface:./folder", ("huggingface", "./folder")),
        ("none", ("none", None)),
    ],
)
def test_a_name_is_a_plug_and_a_model(text: str, expected: tuple[str, str | None]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("opanai:gpt-4o", "Did you mean openai?"),
        ("gpt-4o", "Did you mean openai:gpt-4o?"),
        ("claude:claude-sonnet-5-5", "Did you mean anthropic:claude-sonnet-5-5?"),
        ("llama", "names no provider that is known."),
        ("openai", "names no model"),
        ("openai:", "names no model"),
        ("", "names no provider"),
        (":x", "names no provider"),
    ],
)
def test_a_name_that_is_none(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://x/v1", "http://", "http://user:secret@x/v1", "http://x/v1?key=secret",
     "http://x:notaport/", "file:///etc/passwd", "http://[::1/"],
)  # fmt: skip
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_url(url, "llm.base_url")
    assert "llm.base_url" in caught.value.message
    if "secret" in url:
        assert "secret" not in caught.value.message


def test_which_addresses_are_this_machine() -> None:
    for url in ("http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:8000"):
        assert is_local(checked_url(url, "x"))
    for url in ("https://api.openai.com/v1", "http://10.0.0.5:8000", "http://localhost.evil.org"):
        assert not is_local(checked_url(url, "x"))


@pytest.mark.parametrize("use", sorted(PROVIDERS))
def test_a_missing_key_an_unfit_key_and_offline(use: str) -> None:
    provider = PROVIDERS[use]
    plug = load("llm", LLMS, use)
    address = {"base_url": provider.url or "http://127.0.0.1:9/v1"}
    options = plug.Options(model="m", **address)
    if provider.needs_key:
        with pytest.raises(MissingKey) as caught:
            plug.build(options, Resources(Path("/nowhere"), keys={provider.key: "  "}))
        assert caught.value.exit_code == 2
        assert provider.key in caught.value.message
    with pytest.raises(MissingKey):
        plug.build(options, Resources(Path("/nowhere"), keys={provider.key: "sk-\u200b1"}))
    away = plug.Options(model="m", base_url="https://192.0.2.1/v1")
    with pytest.raises(NetworkError, match="--offline"):
        plug.build(away, Resources(Path("/nowhere"), offline=True, keys=KEYS))
    if not provider.url:
        with pytest.raises(ConfigError, match="base_url"):
            plug.build(plug.Options(model="m"), Resources(Path("/nowhere")))


@pytest.mark.parametrize(
    ("use", "model", "window", "answer", "temperature"),
    [
        ("openai", "gpt-4o-mini", 128_000, 1024, 0.0),
        ("openai", "gpt-6-luna", 1_050_000, 8192, None),
        ("openai", "gpt-9-unheard-of", 128_000, 1024, None),
        ("openai", "ft:gpt-4o-mini:acme", 128_000, 1024, 0.0),
        ("anthropic", "claude-haiku-4-5", 200_000, 8192, 0.0),
        ("anthropic", "claude-sonnet-5-5", 1_000_000, 8192, None),
        ("google", "gemini-2.5-flash", 1_048_576, 8192, 0.0),
        ("google", "gemini-3.8-flash", 1_048_576, 8192, None),
        ("deepseek", "deepseek-flash", 1_000_000, 8192, 0.0),
        ("mistral", "mistral-large-latest", 262_144, 1024, 0.0),
        ("cohere", "command-a-03-2025", 128_000, 1024, 0.0),
        ("ollama", "llama3.2", 8192, 1024, 0.0),
    ],
)
def test_what_is_known_of_a_model(
    use: str, model: str, window: int, answer: int, temperature: float | None
) -> None:
    llm = build(use, model)
    assert (llm.window, llm.max_new_tokens) == (window, answer)
    assert llm.model.temperature == temperature  # type: ignore[attr-defined]
    chosen = build(use, model, window=5000, max_new_tokens=50, temperature=1)
    assert (chosen.window, chosen.max_new_tokens) == (5000, 50)
    assert chosen.model.temperature == 1  # type: ignore[attr-defined]


def test_the_environment_leads_no_plug_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(Reply(401, [b"{}"])) as bait, loopback(Reply(401, [b"{}"])) as server:
        names = [
            "OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_PROXY", "ANTHROPIC_API_URL",
            "ANTHROPIC_BASE_URL", "ANTHROPIC_PROXY", "DEEPSEEK_API_BASE", "MISTRAL_BASE_URL",
            "CO_API_URL", "OLLAMA_HOST", "GOOGLE_GEMINI_BASE_URL", "HTTP_PROXY", "http_proxy",
        ]  # fmt: skip
        for name in names:
            monkeypatch.setenv(name, bait.url)
        monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
        for use in PROVIDERS:
            with pytest.raises(RagcliError):
                build(use, "m", base_url=server.url).model.invoke("hello")
        assert bait.asked == []
        assert len(server.asked) == len(PROVIDERS)
        told = [asked for asked in server.asked if "openai-organization" in asked.headers]
        assert len(told) == 1, "only OpenAI is told the organisation"


@pytest.mark.parametrize("pattern", ["README.md", "docs/*.md", "ragcli/*/*.py", "LICENSE"])
def test_the_estimate_is_not_below_a_real_tokenizer(pattern: str) -> None:
    info = describe(Embedder(use="openai", model="text-embedding-3-small"), ROOT, offline=True)
    tokenizer = Tokenizer.from_file(str(info.tokenizer))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    files = sorted(ROOT.glob(pattern))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        real = len(tokenizer.encode(text, add_special_tokens=False).ids)
        assert real <= estimate_tokens(text) <= 2.2 * real, file


@pytest.mark.parametrize(
    ("text", "most"), [("", 0), ("a", 1), ("2026", 4), ("日本", 6), ("🦆", 4), ("x" * 300, 100)]
)
def test_the_estimate_of_odd_texts(text: str, most: int) -> None:
    assert estimate_tokens(text) == most


def test_what_a_stranger_says_is_one_clean_line() -> None:
    said = clean("a\x1b[31m\nb \u202e\u200bkey sk-1\x00\ud800", "sk-1")
    assert said.isprintable()
    assert "sk-1" not in said
    assert "\n" not in said


def test_nothing_of_a_vendor_is_imported_before_a_model_is_built() -> None:
    script = (
        "import sys\n"
        "from ragcli.llms import LLMS\n"
        "from ragcli.embedders import EMBEDDERS\n"
        "from ragcli.registry import load\n"
        "hosted = [use for use in LLMS if use != 'huggingface']\n"
        "modules = [load('llm', LLMS, use) for use in hosted]\n"
        "modules += [load('embedder', EMBEDDERS, use) for use in EMBEDDERS]\n"
        "assert len(modules) > 12\n"
        "vendors = {'openai', 'anthropic', 'cohere', 'ollama', 'google', 'httpx', 'httpx2'}\n"
        "print(*sorted(m for m in {n.partition('.')[0] for n in sys.modules}\n"
        "    if m in vendors or m.startswith('langchain')))\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert child.stdout.strip() == ""

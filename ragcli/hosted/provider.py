"""Who offers models: their names, addresses and the variables that hold their keys. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of models, or a kind of server of one's own.

    `use` is the name of its plugs, `title` its name for people. `key` is the variable that holds
    its key; where `needs_key` is false, a key is sent only if there is one. `url` is the address
    that is asked unless another is configured; empty where there is no usual one.
    """

    use: str
    title: str
    key: str
    url: str
    needs_key: bool = True


OPENAI = Provider("openai", "OpenAI", "OPENAI_API_KEY", "https://api.openai.com/v1")
ANTHROPIC = Provider("anthropic", "Anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com")
GOOGLE = Provider("google", "Google", "GOOGLE_API_KEY", "https://generativelanguage.googleapis.com")
DEEPSEEK = Provider("deepseek", "DeepSeek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1")
COHERE = Provider("cohere", "Cohere", "COHERE_API_KEY", "https://api.cohere.com")
MISTRAL = Provider("mistral", "Mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1")
OLLAMA = Provider("ollama", "Ollama", "OLLAMA_API_KEY", "http://127.0.0.1:11434", needs_key=False)
OPENAI_COMPATIBLE = Provider(
    "openai-compatible", "The server", "OPENAI_COMPATIBLE_API_KEY", "", needs_key=False
)

PROVIDERS: dict[str, Provider] = {
    provider.use: provider
    for provider in (
        OPENAI,
        ANTHROPIC,
        GOOGLE,
        DEEPSEEK,
        COHERE,
        MISTRAL,
        OLLAMA,
        OPENAI_COMPATIBLE,
    )
}

"""The plug board of language models: each plug turns messages into text, here or at a provider.

A plug has `Options` and `build(options, resources)`, which returns an `Llm`. It never asks another
model than the one it was given, and never another host. Knows nothing of documents.
"""

from __future__ import annotations

from ragcli.llms.resources import Resources
from ragcli.registry import Plug

__all__ = ["LLMS", "Resources"]

LLMS: dict[str, Plug] = {
    "none": Plug("ragcli.llms.none"),
    "anthropic": Plug("ragcli.llms.anthropic", "anthropic", ("langchain_anthropic",)),
    "cohere": Plug("ragcli.llms.cohere", "cohere", ("langchain_cohere",)),
    "deepseek": Plug("ragcli.llms.deepseek", "deepseek", ("langchain_deepseek",)),
    "google": Plug("ragcli.llms.google", "google", ("langchain_google_genai",)),
    "huggingface": Plug("ragcli.llms.huggingface"),
    "mistral": Plug("ragcli.llms.mistral", "mistral", ("langchain_mistralai",)),
    "ollama": Plug("ragcli.llms.ollama", "ollama", ("langchain_ollama",)),
    "openai": Plug("ragcli.llms.openai", "openai", ("langchain_openai",)),
    "openai-compatible": Plug("ragcli.llms.openai_compatible", "openai", ("langchain_openai",)),
}

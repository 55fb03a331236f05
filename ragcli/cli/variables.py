"""The variables that the program knows, for the environment or a file `.env`; `.env.example` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ragcli.hosted.provider import PROVIDERS
from ragcli.layers import ENV_PREFIX
from ragcli.settings import Settings

HEAD = """\
# Copy this file to .env beside your ragcli.yaml, and take the # off the lines you need.
# A variable that is set in the environment wins over this file. Never commit the copy.
#
# Every other setting has a variable too: RAGCLI_SECTION__KEY, such as RAGCLI_RETRIEVAL__TOP_K=8.
"""
STORES = (
    ("CHROMA_API_KEY", "Chroma"),
    ("QDRANT_API_KEY", "Qdrant"),
    ("WEAVIATE_API_KEY", "Weaviate"),
    ("MILVUS_TOKEN", "Milvus"),
    ("CLICKHOUSE_PASSWORD", "ClickHouse"),
    ("PGPASSWORD", "PostgreSQL"),
)


class Variable(NamedTuple):
    """A variable: its name, what it is for in one line, an example of a value."""

    name: str
    purpose: str
    example: str = ""


def variables() -> Iterator[Variable]:
    """Keys of providers and stores, the token of the Hub, and the settings that stand in no section."""
    for provider in PROVIDERS.values():
        whose = provider.title if provider.url else "a server that speaks OpenAI's interface"
        only = "" if provider.needs_key else ", where it wants one"
        yield Variable(provider.key, f"Key of {whose}{only}.")
    yield Variable("PINECONE_API_KEY", "Key of Pinecone.")
    for name, store in STORES:
        yield Variable(name, f"Key of {store}, where it wants one.")
    yield Variable("HF_TOKEN", "Token of the Hugging Face Hub, for models that ask for consent.")
    for name, field in Settings.model_fields.items():
        if not hasattr(field.annotation, "model_fields"):
            example = "true" if field.annotation is bool else str(field.default or "")
            yield Variable(f"{ENV_PREFIX}{name.upper()}", field.description or "", example)


def env_example() -> str:
    """The text of `.env.example`."""
    blocks = [f"# {item.purpose}\n# {item.name}={item.example}\n" for item in variables()]
    return "\n".join([HEAD, *blocks])

"""The fields of the lexical index, and how a chunk fills them. Knows nothing of questions."""

from __future__ import annotations

from typing import Any

from ragcli.errors import ConfigError
from ragcli.index import analysis
from ragcli.index.rows import Words
from ragcli.types import embed_text

LANGUAGES = (
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian",
    "italian", "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "tamil",
    "turkish",
)  # fmt: skip


def schema() -> Any:
    """Numbers to select by, and three text fields: words, whole identifiers, character pairs."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    for name in ("key", "document", "first_page", "last_page", "position"):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    builder.add_text_field("text", tokenizer_name="stemmed", index_option="freq")
    for name in ("names", "grams"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def analyzer(language: str) -> Any:
    """The stemmer that words pass through; raises ConfigError for a language without one."""
    import tantivy

    if language != "none" and language not in LANGUAGES:
        raise ConfigError(
            f"There is no stemmer for {language!r}.",
            f"Set lexical.language to none or one of: {', '.join(LANGUAGES)}.",
        )
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    if language != "none":
        builder = builder.filter(tantivy.Filter.stemmer(language))
    return builder.build()


def document(words: Words) -> Any:
    """A chunk as the index takes it."""
    import tantivy

    document = tantivy.Document()
    for name in ("document", "first_page", "last_page"):
        if (value := getattr(words, name)) is not None:
            document.add_unsigned(name, value)
    document.add_unsigned("key", words.chunk)
    terms = analysis.terms(embed_text(words.title, tuple(words.heading), words.text))
    for name, found in (("text", terms.words), ("names", terms.names), ("grams", terms.grams)):
        if found:
            document.add_text(name, " ".join(found))
    return document

"""The answerer of most people: a language model writes where one is configured, else the documents are quoted.

It takes the settings of both, so that choosing a model does not make a configuration wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from langchain_classic.chains.combine_documents.base import BaseCombineDocumentsChain
from langchain_core.embeddings import Embeddings

from ragcli.answer import quote, write
from ragcli.llms.llm import Llm


class Options(quote.Options, write.Options):
    """Settings of the section `answer` when it uses `auto`: those of `quote` and of `write`."""


def build(
    options: Options,
    embedder: Embeddings | None,
    llm: Callable[[], Llm] | None = None,
    on_text: Callable[[str], None] | None = None,
) -> BaseCombineDocumentsChain:
    """The chain that writes where there is an `llm`, else the one that quotes."""
    given = options.model_dump()
    if llm is None:
        own = {name: given[name] for name in quote.Options.model_fields}
        return quote.build(quote.Options(**own), embedder)
    own = {name: given[name] for name in write.Options.model_fields}
    return write.build(write.Options(**own), embedder, llm, on_text)

"""The search as a LangChain retriever, for chains. Adds nothing to `search`; imports langchain_core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.rerank import Reranker
from ragcli.retrieve.search import QueryEmbedder, SearchResult, search
from ragcli.types import Hit


class CollectionRetriever(BaseRetriever):
    """Retrieves chunks of a collection as documents; each carries its `Hit` in `metadata["hit"]`.

    `on_result`, where given, is told the whole result of each search: timings, coverage, warnings.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    collection: Any
    embedder: Callable[[], QueryEmbedder]
    options: RetrievalOptions
    reranker: Callable[[], Reranker] | None = None
    on_result: Callable[[SearchResult], None] | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        result = search(self.collection, self.embedder, query, self.options, self.reranker)
        if self.on_result is not None:
            self.on_result(result)
        return [document_of(hit) for hit in result.hits]


def document_of(hit: Hit) -> Document:
    """A hit as a LangChain document: the chunk's text, and in plain fields where it stands."""
    chunk = hit.chunk
    place = chunk.place()
    metadata = {
        "hit": hit,
        "document": chunk.path,
        "doc_id": chunk.doc_id,
        "title": chunk.title,
        "page": place.page,
        "lines": place.lines,
        "heading": chunk.heading,
        "score": hit.score,
    }
    return Document(id=chunk.id, page_content=chunk.text, metadata=metadata)

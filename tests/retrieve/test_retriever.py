"""The LangChain retriever: the same hits as `search`, in LangChain's clothes; laziness."""

from __future__ import annotations

import subprocess
import sys

from ragcli.retrieve.options import RetrievalOptions
from ragcli.retrieve.search import search


def test_documents_carry_the_hits_of_search(garden):
    from ragcli.retrieve.retriever import CollectionRetriever

    results = []
    retriever = CollectionRetriever(
        collection=garden.ready(),
        embedder=lambda: garden.embedder,
        options=RetrievalOptions(),
        on_result=results.append,
    )
    documents = retriever.invoke("when to prune roses")
    hits = search(
        garden.ready(), lambda: garden.embedder, "when to prune roses", RetrievalOptions()
    ).hits
    assert [document.metadata["hit"] for document in documents] == hits
    assert results[0].hits == hits
    first = documents[0]
    assert (first.id, first.page_content) == (hits[0].chunk.id, "Prune roses in March.")
    assert first.metadata["document"] == "/garden/roses.md"
    assert first.metadata["lines"] == (2, 2)
    assert first.metadata["heading"] == ("Roses", "Care")
    assert first.metadata["score"] == hits[0].score


def test_importing_search_loads_neither_langchain_nor_numpy():
    code = (
        "import sys, ragcli.retrieve.search;"
        "print([n for n in ('langchain_core', 'numpy', 'faiss', 'tantivy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

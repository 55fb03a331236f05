"""Runs a question through LangChain's RetrievalQA. The only file that knows that chain.

RetrievalQA hands on one string and drops whatever else its combine chain returns. The structured
answer is therefore caught where LangChain reports the end of the combine chain: in a callback.
"""

from __future__ import annotations

import time
from typing import Any

from langchain_classic.chains.combine_documents.base import BaseCombineDocumentsChain
from langchain_classic.chains.retrieval_qa.base import RetrievalQA
from langchain_core._api.deprecation import suppress_langchain_deprecation_warning
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.retrievers import BaseRetriever
from langsmith import tracing_context

from ragcli.answer.result import Answer


def answer(question: str, retriever: BaseRetriever, combine: BaseCombineDocumentsChain) -> Answer:
    """Answer a question from what the retriever finds, in the words of the combine chain.

    The retriever's documents carry their `Hit` in `metadata["hit"]`. Nothing is traced, whatever
    the environment says: a trace would send documents to another host. Raises what the retriever
    and the combine chain raise.
    """
    caught = _Caught()
    with tracing_context(enabled=False):
        with suppress_langchain_deprecation_warning():
            chain = RetrievalQA(
                retriever=retriever, combine_documents_chain=combine, return_source_documents=True
            )
        result = chain.invoke({"query": question}, config={"callbacks": [caught]})
    found = caught.answer
    if found is None:
        raise TypeError(f"{type(combine).__name__} handed over no Answer under the key 'answer'")
    found.hits = [document.metadata["hit"] for document in result["source_documents"]]
    found.timings_ms["answer"] = (time.perf_counter() - caught.retrieved) * 1000
    return found


class _Caught(BaseCallbackHandler):
    """Keeps the Answer that passes by, and when the documents were there."""

    raise_error = True

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.retrieved = time.perf_counter()

    def on_retriever_end(self, documents: Any, **kwargs: Any) -> None:
        self.retrieved = time.perf_counter()

    def on_chain_end(self, outputs: dict[str, Any], **kwargs: Any) -> None:
        self.answer = outputs.get("answer", self.answer)

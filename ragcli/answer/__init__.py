"""Answers: a question and the hits found for it become a worded answer with checked citations.

Retrieves nothing itself and shows nothing. An answerer is a LangChain combine chain: a plug of
ANSWERERS has `Options` and `build(options, embedder)`, which returns a `BaseCombineDocumentsChain`
whose `combine_docs` hands over `(text, {"answer": Answer})`. `chain.answer` runs it in RetrievalQA.
"""

from __future__ import annotations

from ragcli.answer.result import Answer
from ragcli.registry import Plug

__all__ = ["ANSWERERS", "Answer"]

ANSWERERS: dict[str, Plug] = {"quote": Plug("ragcli.answer.quote")}

"""Answers: a question and the hits found for it become a worded answer with checked citations.

Retrieves nothing itself and shows nothing. An answerer is a LangChain combine chain: a plug of
ANSWERERS has `Options` and `build(options, embedder)`, which returns a `BaseCombineDocumentsChain`
(those of WRITERS are also given `llm` and `on_text`)
whose `combine_docs` hands over `(text, {"answer": Answer})`. `chain.answer` runs it in RetrievalQA.
"""

from __future__ import annotations

from ragcli.answer.result import Answer, Sentence
from ragcli.registry import Plug

__all__ = ["ANSWERERS", "WRITERS", "Answer", "Sentence"]

ANSWERERS: dict[str, Plug] = {
    "auto": Plug("ragcli.answer.auto"),
    "quote": Plug("ragcli.answer.quote"),
    "write": Plug("ragcli.answer.write"),
}
WRITERS = frozenset({"auto", "write"})
"""The answerers that are also given a language model, and are told where to hand on text."""

"""The answerer that quotes: it words nothing itself, so an answer can say nothing that is not there.

What a document says is text to be quoted, never an instruction. When no sentence of the hits
answers the question, it says so; how sure it must be was calibrated (see calibration.json).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_classic.chains.combine_documents.base import BaseCombineDocumentsChain
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, Field

from ragcli.answer.candidates import Candidate, candidates, title_words
from ragcli.answer.citations import cite, compose
from ragcli.answer.pick import pick, quotes
from ragcli.answer.result import Answer
from ragcli.answer.score import Scores, score
from ragcli.answer.words import Question, question
from ragcli.types import Hit


class Options(BaseModel):
    """Settings of the section `answer` when it uses `quote`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_confidence: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least probability that a quote answers, below which the answer is that nothing"
        " was found; by default as calibrated.",
    )
    max_quotes: int = Field(3, ge=1, le=20, description="Most sentences chosen for one answer.")


def build(options: Options, embedder: Embeddings | None) -> QuoteChain:
    """The combine chain; without an embedder sentences are compared by their words alone."""
    return QuoteChain(options=options, embedder=embedder)


class QuoteChain(BaseCombineDocumentsChain):  # type: ignore[misc]  # its package is not followed
    """Answers with sentences of the documents, each cited; hands over an `Answer` beside its text."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    options: Options
    embedder: Embeddings | None = Field(None, exclude=True)

    def combine_docs(self, docs: list[Document], **kwargs: Any) -> tuple[str, dict[str, Any]]:
        """The text of the answer, empty when there is none, and under `answer` the Answer itself."""
        hits = [document.metadata["hit"] for document in docs]
        answer = self._answer(question(kwargs["question"]), hits)
        return answer.text or "", {"answer": answer}

    async def acombine_docs(
        self, docs: list[Document], **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """The same: there is nothing to wait for."""
        return self.combine_docs(docs, **kwargs)

    def _answer(self, asked: Question, hits: Sequence[Hit]) -> Answer:
        found = candidates(hits)
        scores = score(asked, hits, found, self.embedder)
        least = self.options.min_confidence
        if not found or scores.confidence < (scores.fitted.threshold if least is None else least):
            return Answer(
                "not_found", confidence=scores.confidence, reason=_reason(asked, hits, found)
            )
        return self._quoted(asked, hits, found, scores)

    def _quoted(
        self, asked: Question, hits: Sequence[Hit], found: Sequence[Candidate], scores: Scores
    ) -> Answer:
        chosen = pick(found, scores.odds, worth=scores.fitted.worth, most=self.options.max_quotes)
        ranges = quotes(asked, hits, found, chosen)
        citations = cite(hits, ranges)
        return Answer(
            "answered",
            text=compose(citations, ranges),
            citations=citations,
            confidence=scores.confidence,
        )


def _reason(asked: Question, hits: Sequence[Hit], found: Sequence[Candidate]) -> str:
    """The likely reason why nothing was found, in one sentence."""
    if not hits:
        return "No passage matches the question."
    known = {term for one in found for term in one.words.stems}
    known.update(term for hit in hits for term in title_words(hit).stems)
    missing = [word for word, term in asked.spoken if term not in known]
    if missing:
        return f"The nearest passages do not mention: {', '.join(dict.fromkeys(missing))}."
    return "The nearest passages are about the same words, but none of them answers the question."

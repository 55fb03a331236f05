"""The answerer that writes: a language model words the answer from the hits, and every sentence is checked.

The model sees numbered passages and nothing else of the documents; what it says is shown with its
citations renumbered, and a sentence that the passages do not support is marked. It asks no model
where there are no hits. Which model, and how it is reached, is decided elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_classic.chains.combine_documents.base import BaseCombineDocumentsChain
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ragcli.answer import prompts
from ragcli.answer.budget import OVERHEAD, fitting
from ragcli.answer.check import check
from ragcli.answer.composing import Composer, quoted
from ragcli.answer.evidence import Evidence
from ragcli.answer.result import Answer
from ragcli.answer.words import question
from ragcli.errors import ConfigError
from ragcli.llms.llm import Llm
from ragcli.types import Citation, Hit

CUT = ("length", "max_tokens", "model_length")
"""How providers call the end of an answer that became too long."""


class Options(BaseModel):
    """Settings of the section `answer` when it uses `write`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str = Field(
        prompts.SYSTEM, description="What the model is told to do; may use {not_found}."
    )
    prompt: str = Field(
        prompts.PROMPT, description="The question as it is put; uses {passages} and {question}."
    )
    passage: str = Field(
        prompts.PASSAGE,
        description="How a passage is shown; uses {n} and {text}, may use {source}, {title} and {heading}.",
    )
    min_support: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least probability that the passages say a sentence, below which it is marked;"
        " by default as calibrated.",
    )

    @field_validator("system", "prompt", "passage")
    @classmethod
    def _is_a_template(cls, text: str, info: ValidationInfo) -> str:
        prompts.check(info.field_name or "", text)
        return text


def build(
    options: Options,
    embedder: Embeddings | None,
    llm: Callable[[], Llm] | None = None,
    on_text: Callable[[str], None] | None = None,
) -> WriteChain:
    """The combine chain. `llm` is called when the model is needed first; `on_text` is told each
    stretch of the answer as soon as it is certain."""
    return WriteChain(options=options, embedder=embedder, llm=llm, on_text=on_text)


class WriteChain(BaseCombineDocumentsChain):  # type: ignore[misc]  # its package is not followed
    """Answers in the words of a language model; hands over an `Answer` beside its text."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    options: Options
    embedder: Embeddings | None = Field(None, exclude=True)
    llm: Callable[[], Llm] | None = Field(None, exclude=True)
    on_text: Callable[[str], None] | None = Field(None, exclude=True)

    def combine_docs(
        self, docs: list[Document], callbacks: Any = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """The text of the answer, empty when there is none, and under `answer` the Answer itself.

        Raises ConfigError where no model is configured or not even the first hit fits into it,
        and what the model raises.
        """
        hits = [document.metadata["hit"] for document in docs]
        answer = self._answer(kwargs["question"], hits, callbacks)
        return answer.text or "", {"answer": answer}

    async def acombine_docs(
        self, docs: list[Document], **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """The same, without giving way to others."""
        return self.combine_docs(docs, **kwargs)

    def _answer(self, asked: str, hits: Sequence[Hit], callbacks: Any) -> Answer:
        if not hits:
            return Answer("not_found", kind="written", reason="No passage matches the question.")
        started = time.perf_counter()
        llm = self._model()
        loaded = time.perf_counter()
        messages, shown = self._messages(llm, asked, hits)
        said = _Said(llm, messages, callbacks)
        answer = self._written(asked, hits[:shown], said)
        if shown < len(hits):
            answer.warnings.append(_left_out(len(hits) - shown, len(hits), llm))
        if said.cut:
            answer.warnings.append(
                f"The answer was cut after {llm.max_new_tokens} tokens; raise llm.max_new_tokens."
            )
        answer.timings_ms |= {"llm_load": (loaded - started) * 1000, **said.timings_ms}
        return answer

    def _model(self) -> Llm:
        if self.llm is None:
            raise ConfigError(
                "answer.use is write, but there is no language model to write.",
                "Choose one with --llm PROVIDER:MODEL, or set answer.use to auto.",
            )
        return self.llm()

    def _messages(self, llm: Llm, asked: str, hits: Sequence[Hit]) -> tuple[list[BaseMessage], int]:
        system = prompts.instruct(self.options.system)
        passages = [
            prompts.passage(self.options.passage, n, hit.chunk) for n, hit in enumerate(hits, 1)
        ]

        def message(some: Sequence[str]) -> str:
            return prompts.ask(self.options.prompt, asked, some)

        room = llm.window - llm.max_new_tokens - llm.count(system) - OVERHEAD
        shown = fitting(passages, message, room=room, count=llm.count)
        if not shown:
            raise ConfigError(
                f"Not even one passage fits into what {llm.name} reads: {llm.window} tokens,"
                f" of which {llm.max_new_tokens} are kept for the answer.",
                "Lower llm.max_new_tokens, choose a model that reads more, or ingest with a lower"
                " splitter.max_tokens.",
            )
        told = [SystemMessage(system)] if system.strip() else []
        return [*told, HumanMessage(message(passages[:shown]))], shown

    def _written(self, asked: str, hits: Sequence[Hit], said: Iterator[str]) -> Answer:
        read = question(asked)
        evidence = Evidence(hits, read, self.embedder)
        composer = Composer(
            lambda claim: check(evidence, claim, least=self.options.min_support),
            len(hits),
            read.words.stems,
            self.on_text,
        )
        for piece in said:
            composer.feed(piece)
        composer.finish()
        if not composer.sentences:
            return Answer("not_found", kind="written", reason=_unanswered(composer.refusal))
        checked = [one.chance for one in composer.sentences if one.chance is not None]
        return Answer(
            "answered",
            text=composer.text,
            kind="written",
            citations=_citations(hits, composer),
            sentences=composer.sentences,
            confidence=min(checked, default=0.0),
        )


class _Said:
    """What a model says, piece by piece; afterwards, how long it took and whether it was cut."""

    def __init__(self, llm: Llm, messages: Sequence[BaseMessage], callbacks: Any) -> None:
        self._stream = llm.model.stream(list(messages), config={"callbacks": callbacks})
        self.cut = False
        self.timings_ms: dict[str, float] = {}

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        started = time.perf_counter()
        try:
            chunk = next(self._stream)
        except ValueError as error:
            # How langchain_core reports a model that said nothing at all.
            if "No generation chunks" not in str(error):
                raise
            raise StopIteration from None
        finally:
            spent = (time.perf_counter() - started) * 1000
            self.timings_ms.setdefault("first_token", spent)
            self.timings_ms["generate"] = self.timings_ms.get("generate", 0.0) + spent
        end = chunk.response_metadata
        self.cut = self.cut or any(
            end.get(name) in CUT for name in ("finish_reason", "stop_reason", "done_reason")
        )
        return str(chunk.text)


def _citations(hits: Sequence[Hit], composer: Composer) -> list[Citation]:
    """The passages used, as numbered in the text, each with the sentences relied on."""
    found = []
    for at, used in composer.used.items():
        hit = hits[at]
        quote, start, end = quoted(hit.chunk.text, used.ranges)
        place = hit.chunk.place(start, end)
        number = composer.number(at)
        found.append(Citation(number, hit.chunk, quote, place, hit.score, used.supported))
    return sorted(found, key=lambda citation: citation.n)


def _unanswered(refusal: str) -> str:
    """In the model's own words, where they are other ones than it was given for that."""
    return "" if refusal in ("", prompts.NOT_FOUND) else f"The model says: {refusal}"


def _left_out(left: int, total: int, llm: Llm) -> str:
    those = "1 passage does" if left == 1 else f"{left} passages do"
    return (
        f"{those} not fit into what {llm.name} reads ({llm.window} tokens) and"
        f" {'was' if left == 1 else 'were'} left out, of {total}."
    )

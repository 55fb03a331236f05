"""Every setting, typed and described; unknown keys are refused. No behaviour, no files, no environment.

A section with `use` chooses a plug: its other keys belong to the plug and are checked against
the plug's own `Options`. The configuration page of the documentation is generated from here.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A group of settings; a key that is not described here is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(BaseModel):
    """A section that chooses a plug by name and passes the other keys on to it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    use: str

    @property
    def options(self) -> dict[str, Any]:
        """The keys that belong to the plug."""
        return dict(self.model_extra or {})


class Embedder(Choice):
    """Which model turns text into vectors."""

    use: str = Field("sentence-transformers", description="Plug that computes embeddings.")


class Store(Choice):
    """Where the vectors live."""

    use: str = Field("embedded", description="Vector store; `embedded` keeps them on this machine.")


class Llm(Choice):
    """Which language model writes answers."""

    use: str = Field("none", description="Plug that writes; `none` leaves it to quotes.")


class Reranker(Choice):
    """Which model orders the best hits anew."""

    use: str = Field(
        "none", description="Plug that reranks; `none` leaves hits as they were fused."
    )


class Answer(Choice):
    """Who words the answer."""

    use: str = Field(
        "auto",
        description="`quote` answers with sentences of the documents, `write` with those of a language"
        " model; `auto` writes where `llm` is configured and quotes where it is not.",
    )


class Splitter(Section):
    """How documents become chunks."""

    max_tokens: int | None = Field(
        None, ge=16, description="Longest chunk in tokens; by default what the embedder can read."
    )
    overlap: int = Field(
        0,
        ge=0,
        le=128,
        description="Tokens of the end of a chunk repeated in the next of its section.",
    )


class Lexical(Section):
    """How words are indexed."""

    language: str = Field("english", description="Language of the stemmer, or `none`.")


class Retrieval(Section):
    """How hits are found and ordered."""

    mode: Literal["hybrid", "dense", "lexical"] = Field(
        "hybrid", description="Which indexes answer."
    )
    top_k: int = Field(4, ge=1, le=1000, description="Number of hits.")
    candidates: int = Field(
        100, ge=1, le=10000, description="Hits taken from each index before they are fused."
    )
    dense_weight: float = Field(
        0.45, ge=0, le=1, description="Share of the dense score in the fused score."
    )
    collapse: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Word overlap from which two hits count as the same; at 1 only equal texts do.",
    )
    rerank_depth: int = Field(
        30, ge=1, le=1000, description="Best hits that a reranker, where there is one, orders anew."
    )
    min_score: float | None = Field(None, description="Hits below this score (0 to 1) are dropped.")


class Ingest(Section):
    """What is read, and within which limits."""

    include: list[str] = Field([], description="Only files that match one of these globs.")
    exclude: list[str] = Field([], description="No files that match one of these globs.")
    ignore: bool = Field(True, description="Respect .gitignore and .ragignore.")
    hidden: bool = Field(False, description="Read hidden files and folders too.")
    jobs: int | None = Field(
        None, ge=1, description="Parsing processes; by default one per core, up to 4."
    )
    timeout_s: float = Field(
        60, gt=0, description="Longest time without progress on one file, in seconds."
    )
    memory_mb: int = Field(1500, ge=128, description="Most memory for one parsing process, in MB.")
    max_file_mb: int = Field(512, ge=1, description="Larger files are skipped, in MB.")
    max_text_mb: int = Field(
        20, ge=1, description="Text beyond this is cut from one document, and said, in MB."
    )


class Settings(Section):
    """All settings of one run."""

    collection: str = Field(
        "default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Name of the collection.",
    )
    data_dir: str | None = Field(
        None,
        description="Folder of the collections; by default the nearest .ragcli/, else the user's data folder.",
    )
    offline: bool = Field(False, description="Make any connection beyond this machine an error.")
    remember: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Answers kept beside the collection for `ragcli feedback`; 0 keeps none.",
    )
    embedder: Embedder = Embedder()
    splitter: Splitter = Splitter()
    lexical: Lexical = Lexical()
    store: Store = Store()
    retrieval: Retrieval = Retrieval()
    reranker: Reranker = Reranker()
    llm: Llm = Llm()
    answer: Answer = Answer()
    ingest: Ingest = Ingest()

"""The vector store Chroma: in this process with files of its own, or a server (`chroma run`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ragcli.errors import ConfigError
from ragcli.stores import metadata, naming, wire
from ragcli.stores.engine import Found
from ragcli.stores.records import Record, Where
from ragcli.stores.resources import Resources
from ragcli.stores.store import Store
from ragcli.stores.trouble import Manner, Trouble

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

FACT = "ragcli_"


class Options(BaseModel):
    """What can be set under `store` for Chroma."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None, description="Address of a server; by default the engine runs in this process."
    )
    name: str | None = Field(
        None, min_length=3, max_length=63, description="Name of the collection in Chroma."
    )
    api_key_env: str = Field("CHROMA_API_KEY", description="Variable with the server's token.")
    ef_search: int = Field(
        200, ge=10, le=10_000, description="Neighbours looked at; more find more, slower."
    )
    timeout_s: float = Field(30, gt=0, le=600, description="Longest wait for an answer, seconds.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts when a request fails.")


def build(options: Options, resources: Resources) -> ChromaStore:
    """The store as configured; nothing is opened yet."""
    return ChromaStore(options, resources)


class ChromaStore(Store):
    """Records in one collection of Chroma."""

    fetch_rows: ClassVar[int] = 500
    deepest: ClassVar[int] = 5000

    def __init__(
        self, options: Options, resources: Resources, embedding: Embeddings | None = None
    ) -> None:
        self.options = options
        self._url = naming.server(options.url, "chroma", resources) if options.url else None
        self._key = naming.key_of(options.api_key_env, resources)
        self._folder = resources.folder
        self._called = naming.table_name(options.name, resources)
        manner = Manner("Chroma", options.retries, options.api_key_env, resources.say)
        super().__init__(f"{self._url or self._folder}/{self._called}", manner, embedding)
        self._client: Any = None
        self._collection: Any = None

    def close(self) -> None:
        """Let go of the connection, or of the files."""
        if self._client is not None:
            self._client.close()
        self._client = self._collection = None

    def trouble(self, error: Exception) -> Trouble | None:
        """What an error of the package means."""
        import httpx
        from chromadb.errors import ChromaError

        if isinstance(error, httpx.TimeoutException):
            return Trouble("slow")
        refused = isinstance(error, ValueError) and "Could not connect" in str(error)
        if isinstance(error, httpx.TransportError) or refused:
            return Trouble("down", f"at {self._url}")
        if isinstance(error, httpx.HTTPStatusError):
            return _of_status(error.response.status_code, str(error))
        if isinstance(error, ChromaError):
            return _of_status(error.code(), str(error))
        return None

    def _open(self, dimension: int | None, create: bool) -> bool:
        from chromadb.errors import NotFoundError

        client = self._connected()
        try:
            self._collection = client.get_collection(self._called, embedding_function=None)
        except NotFoundError:
            if not create:
                return False
            hnsw: Any = {"space": "cosine", "ef_search": self.options.ef_search}
            self._collection = client.get_or_create_collection(
                self._called, configuration={"hnsw": hnsw}, embedding_function=None
            )
        self._check(dimension)
        return True

    def _connected(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        if self._client is None:
            settings = Settings(anonymized_telemetry=False)
            if self._url is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._client = chromadb.PersistentClient(str(self._folder), settings)
            else:
                parts = urlsplit(self._url)
                secure = parts.scheme == "https"
                self._client = chromadb.HttpClient(
                    parts.hostname or "",
                    parts.port or (443 if secure else 8000),
                    ssl=secure,
                    headers={"x-chroma-token": self._key} if self._key else None,
                    settings=settings,
                )
        return self._client

    def _check(self, dimension: int | None) -> None:
        configured: Any = self._collection.configuration_json.get("hnsw") or {}
        if configured.get("space", "cosine") != "cosine":
            raise ConfigError(
                f"The collection {self._called!r} compares by {configured['space']}, not by cosine.",
                "Set store.name to another name.",
            )
        held = self._collection.peek(1)["embeddings"]
        if dimension is not None and len(held) and len(held[0]) != dimension:
            raise ConfigError(
                f"The collection {self._called!r} holds vectors of {len(held[0])} numbers,"
                f" not {dimension}.",
                "Set store.name to another name.",
            )

    def _upsert(self, records: Sequence[Record]) -> None:
        self._collection.upsert(
            ids=[record.id for record in records],
            embeddings=[record.vector for record in records],
            documents=[record.text for record in records],
            metadatas=[metadata.of_record(record) for record in records],
        )

    def _erase(self, ids: Sequence[str]) -> None:
        self._collection.delete(ids=list(ids))

    def _nearest(self, vector: np.ndarray, k: int, where: Where | None) -> list[Found]:
        answer = self._collection.query(
            query_embeddings=[vector],
            n_results=k,
            where=metadata.condition(where),
            include=["distances"],
        )
        found = zip(answer["ids"][0], answer["distances"][0], strict=True)
        return [(id, 1 - distance) for id, distance in found]

    def _fetch(self, ids: Sequence[str]) -> list[Record]:
        import numpy as np

        got = self._collection.get(ids=list(ids), include=["embeddings", "documents", "metadatas"])
        rows = zip(got["ids"], got["embeddings"], got["documents"], got["metadatas"], strict=True)
        return [
            Record(
                id,
                np.asarray(vector, np.float32),
                text or "",
                int(data["document"]),
                data.get("first_page"),
                data.get("last_page"),
                wire.loads(data["data"]),
            )
            for id, vector, text, data in rows
        ]

    def _ids(self, after: str | None) -> tuple[list[str], str | None]:
        start = int(after or 0)
        ids = self._collection.get(limit=self.deepest, offset=start, include=[])["ids"]
        return ids, str(start + len(ids)) if len(ids) == self.deepest else None

    def _count(self) -> int:
        return int(self._collection.count())

    def _clear(self) -> None:
        facts = self._facts()
        self._client.delete_collection(self._called)
        self._open(None, create=True)
        if facts is not None:
            self._set_facts(facts)

    def _facts(self) -> dict[str, str] | None:
        held = self._connected().get_collection(self._called, embedding_function=None).metadata
        facts = {k.removeprefix(FACT): str(v) for k, v in (held or {}).items() if FACT in k}
        return facts or None

    def _set_facts(self, facts: dict[str, str]) -> None:
        self._collection.modify(metadata={FACT + name: value for name, value in facts.items()})


def _of_status(status: int, said: str) -> Trouble:
    if status in (401, 403):
        return Trouble("key")
    if status == 429 or status >= 500:
        return Trouble("busy", said)
    return Trouble("missing" if status == 404 else "refused", said)

"""The plug for Cohere's rerankers, and for servers of one's own that speak its `/v2/rerank`.

Source: the reference of Cohere's API, version 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ragcli.errors import ModelError
from ragcli.hosted.access import Access, open_access
from ragcli.hosted.hosts import host_of
from ragcli.hosted.options import HostedOptions
from ragcli.hosted.patience import ask
from ragcli.hosted.provider import COHERE

if TYPE_CHECKING:
    import httpx

SECTION = "reranker"
PATH = "/v2/rerank"


class Options(HostedOptions):
    """The keys of the section `reranker` that belong to this plug."""

    model: str = Field(
        "rerank-v3.5", min_length=1, description="Name of the model at the provider."
    )


class HostedReranker:
    """Asks the provider, one request a question."""

    def __init__(self, access: Access) -> None:
        self.name = f"{access.provider.use}:{access.model}"
        self.host = "" if access.local else host_of(access.url)
        self._access = access
        self._client: httpx.Client | None = None

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """The relevance of each text as the provider sees it, 0 to 1."""
        return ask(self._access, lambda: self._answer(question, list(texts)))

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _answer(self, question: str, texts: list[str]) -> list[float]:
        body = {"model": self._access.model, "query": question, "documents": texts}
        response = self._opened().post(self._access.url + PATH, json=body)
        response.raise_for_status()
        scores = dict(_scores(response.json()))
        if scores.keys() != set(range(len(texts))):
            raise ModelError(
                f"{self._access.who} did not answer with one score for each text.",
                f"Check that {SECTION}.model is a reranker.",
            )
        return [scores[at] for at in range(len(texts))]

    def _opened(self) -> httpx.Client:
        import httpx

        from ragcli.hosted.client import client_options, seconds

        if self._client is None:
            key = self._access.key
            self._client = httpx.Client(
                headers={"authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(**seconds(self._access)),
                **client_options(self._access),
            )
        return self._client


def build(
    options: Options,
    cache: Path,
    offline: bool,
    *,
    keys: Mapping[str, str],
    on_progress: Callable[[str], None],
) -> HostedReranker:
    """The chosen model; sends nothing yet. Raises what `open_access` raises."""
    return HostedReranker(
        open_access(COHERE, options, SECTION, keys=keys, offline=offline, say=on_progress)
    )


def _scores(answer: Any) -> list[tuple[int, float]]:
    return [(int(one["index"]), float(one["relevance_score"])) for one in answer["results"]]

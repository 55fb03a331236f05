"""LangChain's standard suite for vector stores, on every engine that can be reached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines import Make
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

WIDTH = 6


class TestStandardSuite(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, make: Make) -> Iterator[VectorStore]:  # type: ignore[override]
        store = make(dimension=WIDTH, embedding=self.get_embeddings())
        yield store
        store.close()

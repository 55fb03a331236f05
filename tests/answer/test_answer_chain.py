"""The seam to LangChain: RetrievalQA runs, structured answers come through, nothing leaves the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from handmade import Given, hit
from langchain_classic.chains.combine_documents.base import BaseCombineDocumentsChain

from ragcli.answer import ANSWERERS, Answer
from ragcli.answer.chain import answer
from ragcli.registry import load

ROOT = Path(__file__).parents[2]
TEXT = "The tower was built in 1889. It is made of iron."


class Writing(BaseCombineDocumentsChain):
    """Another answerer: words an answer of its own."""

    hands_over: bool = True

    def combine_docs(self, docs, **kwargs):
        text = f"{kwargs['question']} {len(docs)} documents."
        written = Answer("answered", text=text, kind="written", confidence=1.0)
        return text, {"answer": written} if self.hands_over else {}

    async def acombine_docs(self, docs, **kwargs):
        return self.combine_docs(docs, **kwargs)


def test_any_combine_chain_that_hands_over_an_answer_plugs_in():
    found = answer("How many?", Given(hits=[hit(TEXT), hit(TEXT, 2)]), Writing())
    assert (found.text, found.kind) == ("How many? 2 documents.", "written")
    assert [one.chunk.key for one in found.hits] == [1, 2]
    assert found.timings_ms["answer"] >= 0


def test_a_combine_chain_without_an_answer_is_a_bug_and_says_so():
    with pytest.raises(TypeError, match="Writing handed over no Answer"):
        answer("How many?", Given(hits=[]), Writing(hands_over=False))


def test_every_answerer_of_the_board_has_options_and_builds_a_combine_chain():
    assert ANSWERERS
    for name in ANSWERERS:
        module = load("answerer", ANSWERERS, name)
        assert isinstance(module.build(module.Options(), None), BaseCombineDocumentsChain)
        for field in module.Options.model_fields.values():
            assert field.description


def test_what_the_retriever_raises_passes_through():
    class Broken(Given):
        def _get_relevant_documents(self, query, *, run_manager):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        answer("Why?", Broken(hits=[]), Writing())


@pytest.mark.filterwarnings("error")
def test_the_deprecation_of_the_chain_is_not_shown(ask):
    assert ask("When was the tower built?", hit(TEXT)).status == "answered"


ASK = """
import sys
sys.path.insert(0, "tests/answer")
from handmade import Given, hit
from ragcli.answer import chain
from ragcli.answer.quote import Options, build
if "traced" in sys.argv:
    import contextlib
    chain.tracing_context = lambda enabled: contextlib.nullcontext()
found = chain.answer("When was it built?", Given(hits=[hit("It was built in 1889.")]), build(Options(), None))
from langchain_core.tracers.langchain import wait_for_all_tracers
wait_for_all_tracers()
print(found.status)
"""


@pytest.fixture
def tracing_server():
    """A server on this machine in the place of LangSmith, and the requests that reached it."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def _any(self):
            requests.append(self.path)
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = do_PATCH = do_PUT = _any

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    server.server_close()


def run_with_tracing(url, home, *arguments):
    asked = dict.fromkeys(
        ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2"), "true"
    )
    keys = dict.fromkeys(("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"), "lsv2_pt_none")
    to = dict.fromkeys(("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"), url)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **asked, **keys, **to}
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_nothing_is_traced_even_where_the_environment_asks_for_it(tracing_server, tmp_path):
    url, requests = tracing_server
    assert run_with_tracing(url, tmp_path) in ("answered", "not_found")
    assert requests == []


def test_without_the_guard_the_same_run_would_be_traced(tracing_server, tmp_path):
    url, requests = tracing_server
    run_with_tracing(url, tmp_path, "traced")
    assert requests != []


def test_the_room_itself_imports_neither_langchain_nor_numpy():
    heavy = {"langchain_core", "langchain_classic", "numpy", "pydantic"}
    code = f"import sys, ragcli.answer; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragcli.documents.parse import ParseRequest, ParseResult, ParserPool
from ragcli.documents.split import SplitterOptions
from ragcli.errors import ParseError, RagcliError, Unsupported
from ragcli.types import SplitDocument

HOSTILE = [sys.executable, "-P", str(Path(__file__).with_name("hostile_child.py"))]
Make = Callable[..., ParserPool]


@pytest.fixture
def make(tokenizers: dict[str, str]) -> Iterator[Make]:
    pools: list[ParserPool] = []

    def pool(
        jobs: int = 1, timeout_s: float = 60, memory_mb: int = 600, **more: object
    ) -> ParserPool:
        made = ParserPool(
            SplitterOptions(tokenizers["wordpiece"], 64),
            jobs=jobs,
            timeout_s=timeout_s,
            memory_mb=memory_mb,
            text_mb=20,
            **{"program": HOSTILE, **more},  # type: ignore[arg-type]
        )
        pools.append(made)
        return made

    yield pool
    for made in pools:
        made.close()


def order(text: str) -> ParseRequest:
    return ParseRequest(None, "order.hostile", data=text.encode())


def outcome(result: ParseResult) -> list[str] | ParseError:
    try:
        return [chunk.text for document in result.documents() for chunk in document.chunks]
    except ParseError as error:
        return error


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def gone(pid: int, within_s: float = 20) -> bool:
    end = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


def pid_of(document: SplitDocument) -> int:
    pid = document.metadata["pid"]
    assert isinstance(pid, int)
    return pid


def test_files_are_read_in_order_by_several_children(make: Make, tmp_path: Path) -> None:
    requests = []
    for n in range(12):
        file = tmp_path / f"{n}.txt"
        file.write_text(f"file {n}\n\n" + "the quick brown fox. " * (3000 if n % 4 == 0 else 1))
        requests.append(ParseRequest(str(file), file.name))
    with make(jobs=3, program=None) as pool:
        seen = []
        for result, request in zip(pool.parse(iter(requests)), requests, strict=True):
            assert result.request is request
            (document,) = result.documents()
            seen.append(document.chunks[0].text.split("\n")[0])
    assert seen == [f"file {n}" for n in range(12)]


def test_the_source_is_exactly_what_was_read(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"# Title\r\n\r\nBody.\r\n")
    result = next(make(program=None).parse([ParseRequest(str(file), file.name)]))
    source = result.source()
    assert source.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (source.size, source.mtime_ns) == (file.stat().st_size, file.stat().st_mtime_ns)
    assert source.format == "markdown" and source.parser.startswith("markdown/")


def read_one(pool: ParserPool, request: ParseRequest) -> list[str] | ParseError:
    return next(outcome(result) for result in pool.parse([request]))


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        ("segfault", "The parser was ended by signal 11."),
        ("abort", "The parser was ended by signal 6."),
        ("leave", "The parser ended with code 7."),
        ("memory", "It needed more than 600 MB of memory."),
        ("starve", "It needed more than 600 MB of memory."),
        ("recursion", "It is nested too deeply."),
        ("bug", "The hostile reader failed: ValueError: no such cell"),
        ("forge", "The parser answered with a frame of 4294967295 bytes."),
        ("network 9", "The hostile reader failed: PermissionError: "),
        ("program /tmp/never", "The hostile reader failed: PermissionError: "),
        ("nothing", "It holds no text."),
    ],
)
def test_what_a_document_does_to_its_reader_is_told_and_the_next_is_read(
    make: Make, orders: str, reason: str
) -> None:
    results = make().parse([order(orders), order("say all is well")])
    error = outcome(next(results))
    assert isinstance(error, ParseError) and error.message.startswith(reason)
    assert not isinstance(error, Unsupported)
    assert outcome(next(results)) == ["all is well"]


@pytest.mark.parametrize("orders", ["hang", "spin", "drip", "chatter"])
def test_a_reader_that_does_not_end_is_killed(make: Make, orders: str) -> None:
    results = make(timeout_s=3).parse([order(orders), order("say next")])
    error = outcome(next(results))
    assert isinstance(error, ParseError) and error.message == "It took longer than 3 s."
    assert outcome(next(results)) == ["next"]


def test_a_file_may_fail_after_its_first_documents(make: Make) -> None:
    result = next(make().parse([order("bug")]))
    documents = result.documents()
    assert next(documents).chunks[0].text == "before the bug"
    with pytest.raises(ParseError, match="no such cell") as caught:
        next(documents)
    assert "hostile_reader.py" in caught.value.__notes__[0]


def test_the_last_words_of_a_dead_child_are_kept(make: Make) -> None:
    error = read_one(make(), order("leave"))
    assert isinstance(error, ParseError) and error.__notes__ == ["a last word"]


def test_what_a_parser_prints_disturbs_nothing(make: Make) -> None:
    assert read_one(make(), order("noise")) == ["heard"]


def test_a_child_that_is_killed_is_replaced(make: Make) -> None:
    pool = make()
    requests = [order("say one"), order("hang"), order("say two"), order("say three")]
    results = pool.parse(requests)
    (first,) = next(results).documents()
    documents = next(results).documents()
    os.kill(pid_of(next(documents)), signal.SIGKILL)
    with pytest.raises(ParseError, match="ended by signal 9"):
        next(documents)
    (second,) = next(results).documents()
    (third,) = next(results).documents()
    assert pid_of(first) != pid_of(second) == pid_of(third)


def test_an_idle_child_that_is_killed_is_replaced_without_a_word(make: Make) -> None:
    pool = make()
    for _ in range(2):
        result = next(pool.parse([order("say it works")]))
        (document,) = result.documents()
        assert document.chunks[0].text == "it works"
        os.kill(pid_of(document), signal.SIGKILL)
        assert gone(pid_of(document))


def test_children_end_with_the_pool_whatever_they_do(make: Make) -> None:
    pool = make(jobs=2)
    results = pool.parse([order("hang"), order("hang"), order("hang")])
    pid = pid_of(next(next(results).documents()))
    pool.close()
    assert gone(pid)


def test_a_pool_closes_while_results_wait_to_be_read(make: Make) -> None:
    pool = make(jobs=2)
    results = pool.parse([order("records 1000000") for _ in range(9)])
    documents = next(results).documents()
    next(documents)
    time.sleep(1)
    pool.close()
    with pytest.raises(ValueError, match="after close"):
        list(documents)


def test_a_result_that_nobody_reads_to_the_end_does_not_stay(make: Make) -> None:
    results = make().parse([order("records 1000000"), order("say next")])
    assert next(next(results).documents()).chunks
    assert outcome(next(results)) == ["next"]


def test_children_die_with_a_parent_that_is_killed(tokenizers: dict[str, str]) -> None:
    script = (
        "import sys, time\n"
        "from ragcli.documents.parse import ParseRequest, ParserPool\n"
        "from ragcli.documents.split import SplitterOptions\n"
        "options = SplitterOptions(sys.argv[1], 64)\n"
        "pool = ParserPool(options, jobs=1, timeout_s=600, memory_mb=600, text_mb=1,"
        " program=sys.argv[2:])\n"
        "result = next(pool.parse([ParseRequest(None, 'x.hostile', data=b'hang')]))\n"
        "print(next(result.documents()).metadata['pid'], flush=True)\n"
        "time.sleep(600)\n"
    )
    argv = [sys.executable, "-c", script, tokenizers["wordpiece"], *HOSTILE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    assert gone(pid)


def test_an_interrupt_from_the_keyboard_is_the_parents_alone(make: Make) -> None:
    result = next(make(timeout_s=4).parse([order("hang")]))
    documents = result.documents()
    pid = pid_of(next(documents))
    assert os.getsid(pid) == pid != os.getsid(0)
    os.kill(pid, signal.SIGINT)
    with pytest.raises(ParseError, match="took longer"):
        next(documents)


def test_nothing_goes_out_of_a_child(make: Make, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        assert isinstance(read_one(make(), order(f"network {port}")), ParseError)
        with pytest.raises(TimeoutError):
            server.accept()
    for what in ("program", "write"):
        target = tmp_path / what
        assert isinstance(read_one(make(), order(f"{what} {target}")), ParseError)
        assert not target.exists() or not target.stat().st_size


def test_a_slow_consumer_holds_the_child_up_and_is_not_held_against_it(make: Make) -> None:
    documents = next(make(timeout_s=2).parse([order("records 5000")])).documents()
    first = next(documents)
    time.sleep(5)
    io = Path(f"/proc/{pid_of(first)}/io").read_text()
    written = int(io.partition("wchar: ")[2].split()[0])
    assert 1_000_000 < written < 5_000_000
    rest = list(documents)
    assert rest[-1].chunks[0].text.startswith("record 4999 ")
    assert sum(len(c.text) for document in rest for c in document.chunks) > 8_000_000


def test_only_regular_files_are_opened(make: Make, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "real.txt").write_text("text")
    (tmp_path / "link.txt").symlink_to("real.txt")
    (tmp_path / "folder.txt").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.txt"))
        names = ["pipe.txt", "link.txt", "folder.txt", "socket.txt", "absent.txt"]
        requests = [ParseRequest(str(tmp_path / name), name) for name in names]
        requests.append(ParseRequest("/dev/zero", "zero.txt"))
        errors = [outcome(result) for result in make(program=None).parse(requests)]
    assert [str(error) for error in errors] == [
        "It is not a regular file.",
        "It is a symbolic link, which is not followed.",
        "It is not a regular file.",
        "It cannot be read: No such device or address.",
        "It cannot be read: No such file or directory.",
        "It is not a regular file.",
    ]


def test_what_is_not_read_at_all_is_told_apart(make: Make, tmp_path: Path) -> None:
    contents = {
        "a.txt": b"",
        "b.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "c.txt": b"x" * 3_000_000,
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    requests = [ParseRequest(str(tmp_path / name), name) for name in contents]
    errors = [outcome(result) for result in make(program=None, file_mb=2).parse(requests)]
    assert all(isinstance(error, Unsupported) for error in errors)
    assert [str(error) for error in errors] == [
        "It is empty.",
        "It is binary, or of a kind that is not read.",
        "It is larger than 2 MB.",
    ]


def test_a_file_name_that_is_no_utf8_is_found(make: Make, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.txt")
    Path(path).write_text("The fox runs.")
    assert read_one(make(program=None), ParseRequest(path, "x.txt")) == ["The fox runs."]


def test_large_data_can_be_handed_over_instead_of_a_path(make: Make) -> None:
    data = b"The fox runs over green hills.\n\n" * 100_000
    result = next(make(program=None).parse([ParseRequest(None, "stdin.txt", data=data)]))
    (document,) = result.documents()
    assert "".join("".join(chunk.text.split()) for chunk in document.chunks) == "".join(
        data.decode().split()
    )
    assert result.source().size == len(data) and result.source().mtime_ns == 0


def test_modules_in_the_working_directory_are_not_imported(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "tokenizers", "ragcli", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert read_one(make(program=None), ParseRequest(None, "x.txt", data=b"ok")) == ["ok"]


def test_a_child_that_cannot_start_is_no_fault_of_the_file(make: Make, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("raise ImportError('no such library')")
    pool = make(program=[sys.executable, str(script)])
    with pytest.raises(RagcliError, match="cannot start: ImportError: no such library") as caught:
        outcome(next(pool.parse([order("say it")])))
    assert not isinstance(caught.value, ParseError)


def test_children_are_renewed_before_they_are_worn(make: Make) -> None:
    pids = set()
    for result in make().parse(order(f"say {n}") for n in range(405)):
        (document,) = result.documents()
        pids.add(pid_of(document))
    assert len(pids) == 3

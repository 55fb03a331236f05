"""`.env` adds but never overrides, telemetry is off, and --offline is enforced by the interpreter."""

import subprocess
import sys
from pathlib import Path

from ragcli.cli.environment import silence_libraries, tracing_variables, with_dotenv
from ragcli.hosted.hosts import is_loopback

GUARDED = """
import socket, sys
from ragcli.cli.environment import forbid_network
if "guard" in sys.argv:
    forbid_network()
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
for act in (
    lambda: socket.create_connection(("192.0.2.1", 9), timeout=0.05),
    lambda: socket.getaddrinfo("example.com", 80),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
):
    try:
        act()
    except Exception as error:
        print(type(error).__name__)
    else:
        print("went through")
"""


def run_guarded(*arguments: str) -> list[str]:
    child = subprocess.run(
        [sys.executable, "-c", GUARDED, *arguments], capture_output=True, text=True, check=True
    )
    return child.stdout.split("\n")[:3]


def test_offline_refuses_everything_but_loopback() -> None:
    assert run_guarded("guard") == ["NetworkError"] * 3


def test_control_without_the_guard_nothing_is_refused_by_us() -> None:
    assert "NetworkError" not in run_guarded()


def test_loopback_is_this_machine_only() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.9.10", "::1", "")))
    assert not any(
        map(is_loopback, ("example.com", "10.0.0.1", "192.0.2.1", "::", "localhost.example"))
    )


def test_dotenv_adds_and_never_overrides(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A_KEY=file\nB_KEY='quoted'\n# comment\nC=${A_KEY}\n")
    merged = with_dotenv({"A_KEY": "process"}, [tmp_path, tmp_path / "missing"])
    assert merged["A_KEY"] == "process"
    assert merged["B_KEY"] == "quoted"
    assert merged["C"] == "${A_KEY}"


def test_tracing_is_switched_off_and_named() -> None:
    environ = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "false"}
    silence_libraries(environ)
    assert tracing_variables() == ["LANGSMITH_TRACING"]
    assert environ["LANGSMITH_TRACING"] == "false"
    assert environ["ORT_DISABLE_TELEMETRY"] == "1"

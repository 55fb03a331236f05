"""The `ragcli` program: its commands, and the one place where errors become exit codes."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from ragcli import __version__
from ragcli.cli.commands import (
    config,
    doctor,
    evaluate,
    feedback,
    finetune_embedder,
    ingest,
    query,
    rm,
    search,
    show,
    status,
    sync,
)
from ragcli.cli.commands import list as listing
from ragcli.cli.environment import silence_libraries
from ragcli.cli.options import with_common
from ragcli.cli.output import Output
from ragcli.errors import RagcliError, StorageError, UsageError

CONTEXT = {"help_option_names": ["-h", "--help"]}
STORAGE = {
    errno.ENOSPC: "Free some space and run the command again.",
    errno.EDQUOT: "Free some of your quota and run the command again.",
    errno.EROFS: "Choose a folder that can be written with --data-dir.",
    errno.EACCES: "Check the permissions of that place.",
}

app = typer.Typer(
    name="ragcli",
    help="Answers questions from your own documents, with page or line.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"ragcli {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Answers questions from your own documents, with page or line."""


app.command("ingest")(with_common(ingest.ingest))
app.command("add", hidden=True)(with_common(ingest.ingest))
app.command("finetune-embedder")(with_common(finetune_embedder.finetune_embedder))
app.command("query")(with_common(query.query))
app.command("ask", hidden=True)(with_common(query.query))
app.command("search")(with_common(search.search))
app.command("evaluate")(with_common(evaluate.evaluate_command))
app.command("eval", hidden=True)(with_common(evaluate.evaluate_command))
app.command("feedback")(with_common(feedback.feedback))
app.command("status")(with_common(status.status))
app.command("list")(with_common(listing.list_documents))
app.command("show")(with_common(show.show))
app.command("rm")(with_common(rm.rm))
app.command("sync")(with_common(sync.sync))
app.command("doctor")(with_common(doctor.doctor))
app.add_typer(config.app, name="config")


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    silence_libraries(os.environ)
    _open_streams()
    os.umask(0o077)
    interrupts = _count_interrupts()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except Exception:
        # A library in compiled code may turn an interrupt into an error of its own.
        if not interrupts:
            raise
        code = 130
    sys.exit(130 if code == 1 and interrupts else code)


def _count_interrupts() -> list[int]:
    """Every interrupt from now on, each still raised; none where the caller has them ignored."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    return seen


def _open_streams() -> None:
    """A stream that the caller closed leads nowhere instead of failing at the first word."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = open(os.devnull, "r" if name == "stdin" else "w")  # noqa: SIM115, PTH123
            setattr(sys, name, stream)


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code. Errors a person can mend are said in one sentence."""
    out = Output(json="--json" in arguments, environ=os.environ)
    try:
        result = app(arguments, prog_name="ragcli", standalone_mode=False)
    except RagcliError as error:
        out.error(error)
        _debug(error, arguments)
        return error.exit_code
    except typer.TyperException as error:
        # Typer keeps the class to itself: a command without arguments wants its help, no error.
        if type(error).__name__ == "NoArgsIsHelpError":
            out.help(error.format_message())
        else:
            out.error(_usage(error, arguments))
        return 2
    except typer.Abort:
        return 130
    except OSError as error:
        if error.errno not in STORAGE:
            raise
        out.error(
            StorageError(f"{error.strerror}: {error.filename or 'output'}.", STORAGE[error.errno])
        )
        return 1
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException, arguments: list[str]) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "ragcli"
    message = error.format_message()
    wanted = getattr(error, "option_name", None)
    commands = getattr(getattr(context, "command", None), "commands", {})
    # The command that was typed comes before others that take the option too.
    known = sorted(commands, key=lambda name: name not in arguments)
    owner = next((name for name in known if _takes(commands[name], wanted)), None)
    fix = f"Put it after the command: {command} {owner} {wanted}" if owner else ""
    return UsageError(
        message if message.endswith((".", "?")) else message + ".", fix or f"See: {command} --help"
    )


def _takes(command: Any, option: str | None) -> bool:
    return any(option in parameter.opts for parameter in command.params)


def _debug(error: RagcliError, arguments: list[str]) -> None:
    if ("-v" in arguments or "--verbose" in arguments) and error.__cause__ is not None:
        traceback.print_exception(error.__cause__, file=sys.stderr)

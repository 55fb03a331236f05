"""The options that every command has, declared once, and the decorator that adds them to a command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

Collection = Annotated[
    str | None,
    typer.Option("-c", "--collection", metavar="NAME", help="Name of the collection."),
]
Config = Annotated[
    list[str] | None,
    typer.Option(
        "-C",
        "--config",
        metavar="FILE",
        help="YAML file or shipped profile; repeatable, later wins.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as retrieval.top_k=8."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON on stdout, errors as JSON on stderr.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, notes or warnings.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more on stderr.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask; take yes for an answer.")]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Run in this process.")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Folder that holds the collections."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Make any connection beyond this machine an error.")
]


@dataclass(frozen=True)
class Common:
    """What the common options were set to."""

    collection: Collection = None
    config: Config = None
    set: Set = None
    json: Json = False
    quiet: Quiet = False
    verbose: Verbose = False
    yes: Yes = False
    no_worker: NoWorker = False
    data_dir: DataDir = None
    offline: Offline = False


_COMMON = [
    inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=field.default,
        annotation=globals()[str(field.type)],
    )
    for name, field in ((field.name, field) for field in fields(Common))
]


def with_common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; its first parameter receives them as a `Common`."""
    signature = inspect.signature(command, eval_str=True)
    _first, *own = signature.parameters.values()
    names = [parameter.name for parameter in _COMMON]

    @functools.wraps(command)
    def wrapper(**given: Any) -> Any:
        common = Common(**{name: given.pop(name) for name in names})
        return command(common, **given)

    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    parameters = [*own, *_COMMON]
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


Llm = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="PROVIDER:MODEL",
        help="Language model that writes the answer, such as openai:gpt-4.1-mini; none quotes.",
    ),
]
Stream = Annotated[
    bool | None,
    typer.Option(
        "--stream/--no-stream",
        help="Show a written answer while it is written; by default on a terminal.",
    ),
]
TopK = Annotated[
    int | None, typer.Option("-k", "--top-k", metavar="N", help="Number of hits.", min=1)
]
In = Annotated[
    list[Path] | None,
    typer.Option(
        "--in",
        metavar="PATH...",
        help="Ask these files or folders instead of a collection (after the question).",
    ),
]
By = Annotated[str, typer.Option("--by", metavar="chunk|document", help="What a hit is.")]
Mode = Annotated[
    str | None,
    typer.Option("--mode", metavar="hybrid|dense|lexical", help="Which indexes answer."),
]
Rerank = Annotated[
    bool | None,
    typer.Option("--rerank/--no-rerank", help="Order the best hits anew by a reranker."),
]
FilterBy = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="EXPR", help="Such as 'path:docs/** type:pdf page:3'."),
]
MinScore = Annotated[
    float | None, typer.Option("--min-score", metavar="X", help="Drop hits that score less.")
]
Explain = Annotated[bool, typer.Option("--explain", help="Say why each hit is where it is.")]
Batch = Annotated[
    Path | None,
    typer.Option("--batch", metavar="FILE", help="A file with one question a line; - is stdin."),
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="With --batch: one JSON object a line.")]

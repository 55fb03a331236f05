"""`ragcli finetune-embedder [DATA]`: adapt the embedder to the corpus, and keep it if it is better."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ragcli.cli.keeping import keep_result, roll_back
from ragcli.cli.options import Common
from ragcli.cli.session import Session
from ragcli.cli.tuning import Tuning, refuse, tune
from ragcli.errors import UsageError


def finetune_embedder(
    common: Common,
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DATA]",
            help="JSONL, CSV, Parquet or BEIR folder; by default questions made from the collection.",
        ),
    ] = None,
    mode: Annotated[
        str,
        typer.Option("--mode", help="full: the weights; adapter: a map for questions, in seconds."),
    ] = "full",
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the result; by default tuned, tuned-2...")
    ] = None,
    loss: Annotated[
        str | None, typer.Option("--loss", help="Loss; by default chosen by the data's shape.")
    ] = None,
    epochs: Annotated[
        float | None, typer.Option("--epochs", min=0.01, help="By default 5, 3 for large data.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=2, help="Examples in a batch.")] = 64,
    learning_rate: Annotated[
        float | None, typer.Option("--lr", min=0.0, help="By default 2e-5; 1e-5 without data.")
    ] = None,
    negatives: Annotated[
        int, typer.Option("--negatives", min=0, max=8, help="Hard negatives for each example.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the split and the training.")] = 7,
    steps: Annotated[int, typer.Option("--max-steps", help="Most training steps.")] = -1,
    examples: Annotated[
        int | None, typer.Option("--max-examples", min=1, help="Most training questions.")
    ] = None,
    questions: Annotated[
        str,
        typer.Option("--questions", help="Without data: titles, headings, sentences or all."),
    ] = "all",
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Measurements without a gain before it ends.")
    ] = 3,
    matryoshka: Annotated[
        str | None, typer.Option("--matryoshka", metavar="N,N", help="Also good when cut to N.")
    ] = None,
    lora: Annotated[int, typer.Option("--lora", min=0, help="Rank of LoRA; 0 is off.")] = 0,
    precision: Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32.")] = "auto",
    general: Annotated[
        Path | None,
        typer.Option(
            "--general", metavar="SET", help="Check against forgetting: a BEIR folder or a file."
        ),
    ] = None,
    judge: Annotated[
        Path | None,
        typer.Option(
            "--judge", metavar="SET", help="Judge by these questions, as `evaluate` reads them."
        ),
    ] = None,
    log_to: Annotated[
        list[str] | None, typer.Option("--log-to", help="tensorboard or wandb.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Give up an interrupted run, and begin anew.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what it costs, and stop.")
    ] = False,
    reindex: Annotated[
        bool, typer.Option("--reindex", help="Embed the collection again at once.")
    ] = False,
    push: Annotated[
        str | None,
        typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Upload the result, private."),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the embedder before the last one.")
    ] = False,
) -> None:
    """Adapt the embedder to this corpus, with proof."""
    session = Session(common, os.environ, Path.cwd())
    if rollback:
        entry = roll_back(session)
        _show(session, entry)
        return
    given: dict[str, Any] = {
        "mode": _one_of("mode", mode, ("full", "adapter")),
        "loss": loss,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "negatives": negatives,
        "seed": seed,
        "most_steps": steps,
        "most_examples": examples,
        "questions": _one_of("questions", questions, ("titles", "headings", "sentences", "all")),
        "patience": patience,
        "matryoshka": _numbers(matryoshka),
        "lora": lora,
        "precision": _one_of("precision", precision, ("auto", "bf16", "fp32")),
        "general": session.absolute(general) if general else None,
        "judge": session.absolute(judge) if judge else None,
        "log_to": tuple(_one_of("log-to", one, ("tensorboard", "wandb")) for one in log_to or []),
        "resume": resume,
        "restart": restart,
        "estimate": estimate,
    }
    source = session.absolute(data) if data else None
    tuning = Tuning(session, name, source, given, reindex, push)
    refuse(tuning)
    with tuning.alone():
        try:
            outcome = tune(tuning)
        except KeyboardInterrupt:
            kept = "" if estimate else " What was done is kept; go on with --resume."
            session.out.note(f"Interrupted.{kept}")
            raise typer.Exit(130) from None
        _show(session, keep_result(tuning, outcome))


def _one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"--{option} {value!r} is not known.", f"Known: {', '.join(known)}.")
    return value


def _numbers(text: str | None) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        numbers = (0,)
    if any(number < 1 for number in numbers):
        raise UsageError(f"--matryoshka {text!r} is not a list of sizes.", "Such as 256,128.")
    return numbers


def _show(session: Session, told: dict[str, Any]) -> None:
    if session.out.json:
        session.out.record({"schema": "ragcli.finetune/1", **told})
    else:
        session.out.data(told["said"])

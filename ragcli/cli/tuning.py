"""What `finetune-embedder` needs of a session: the embedders, the folders, the configuration file."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.progress import TerminalProgress
from ragcli.errors import NetworkError, UsageError
from ragcli.settings import Embedder

if TYPE_CHECKING:
    from ragcli.cli.session import Session
    from ragcli.embedders import EmbedderInfo
    from ragcli.finetune.recipe import Outcome

NAME = "tuned"
SMALL_MODEL = "/all-MiniLM-L6-v2"
STRONGER = (
    "If you can choose the model: untuned, BAAI/bge-small-en-v1.5 gains over all-MiniLM-L6-v2 about as"
    " much as a good fine-tune."
)
BOUND = ("revision", "query_adapter")
"""Options of the embedder that belong to one model."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Tuning:
    """One call of the command."""

    session: Session
    name: str | None
    data: Path | None
    recipe: dict[str, Any]
    reindex: bool = False
    push: str | None = None

    @property
    def work(self) -> Path:
        """Where a run works, until it is done."""
        session = self.session
        return session.data_dir / "finetuning" / session.settings.collection / (self.name or NAME)

    @property
    def curves(self) -> Path:
        """Where TensorBoard's files stay."""
        return self.session.data_dir / "curves" / (self.name or NAME)

    @property
    def models(self) -> Path:
        """Where results are kept."""
        return self.session.data_dir / "models"

    def free_name(self) -> str:
        """The name of a result that replaces none: as given, else `tuned`, `tuned-2`..."""
        first = self.name or NAME
        names = (first if number == 1 else f"{first}-{number}" for number in count(1))
        return next(name for name in names if not (self.models / name).exists())


def tune(tuning: Tuning) -> Outcome:
    """Train and judge. What would fail only after the training is refused before it."""
    from ragcli.finetune.ground import Scene
    from ragcli.finetune.recipe import Recipe, Tools
    from ragcli.finetune.run import finetune

    session = tuning.session
    if tuning.name is not None:
        _may_be_called(tuning.name, tuning.models)
    if session.settings.embedder.use != "sentence-transformers":
        raise UsageError(
            f"The embedder {session.settings.embedder.use} cannot be tuned here.",
            "Set embedder.use to sentence-transformers.",
        )
    if tuning.push:
        _may_push(tuning.push, session)
    if tuning.reindex and tuning.recipe["mode"] == "full":
        session.collection().close()
    if session.embedder_info.model.endswith(SMALL_MODEL):
        session.out.note(STRONGER)
    with TerminalProgress(session.out) as progress:
        return finetune(
            tuning.data,
            Recipe(**tuning.recipe),
            Tools(
                scene=Scene(session.settings, progress),
                base=session.embedder_info,
                embedder=lambda: session.embedder,
                describe=lambda folder: _describe(session, folder),
                open=lambda folder: _open(session, folder),
                collection=session.collection,
                work=tuning.work,
                curves=tuning.curves,
                tell=session.out.note,
                warn=session.out.warn,
            ),
        )


def _may_be_called(name: str, models: Path) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r} is no name.", "Letters, digits, - and _ make one.")
    if (models / name).exists():
        raise UsageError(
            f"There is a model called {name!r} already: {models / name}.",
            "Choose another --name, or remove that folder.",
        )


def _choice(session: Session, folder: Path) -> Embedder:
    known = session.settings.embedder
    options = {**known.options, "model": str(folder)}
    for key in BOUND:
        options.pop(key, None)
    return Embedder(use=known.use, **options)


def _describe(session: Session, folder: Path) -> EmbedderInfo:
    from ragcli.embedders import describe

    return describe(_choice(session, folder), session.cache_dir, session.settings.offline)


def _open(session: Session, folder: Path) -> Any:
    from ragcli.embedders import build

    return build(
        _choice(session, folder),
        session.cache_dir,
        session.settings.offline,
        keys=session.environ,
        on_progress=session.out.note,
    )


def keep_result(tuning: Tuning, outcome: Outcome) -> dict[str, Any]:
    """Keep what is better, let the configuration name it, and say so; else say why the base stays."""
    name = tuning.free_name()
    told = {"name": name, "kept": outcome.staged is not None, "reason": outcome.reason}
    told |= outcome.told
    if outcome.staged is None:
        if "estimated" not in outcome.told:
            shutil.rmtree(tuning.work, ignore_errors=True)
        return {**told, "said": f"The base embedder stays: {outcome.reason}."}
    folder = _publish(tuning, outcome.staged, told)
    config, key = _point(tuning, folder)
    told |= {"folder": str(folder), "config": str(config)}
    said = f"Better: kept in {folder}; {config} names it as embedder.{key}."
    if tuning.push:
        _push(folder, tuning.push, tuning.session)
    if key == "query_adapter":
        return {**told, "said": f"{said} Nothing has to be embedded again."}
    if tuning.reindex:
        return {**told, "said": f"{said} {_reindex(tuning, folder)}"}
    return {**told, "said": f"{said} Embed the collection again with: ragcli ingest"}


def _publish(tuning: Tuning, staged: Path, told: dict[str, Any]) -> Path:
    from ragcli.embedders.convert import place_of
    from ragcli.finetune import publish

    session = tuning.session
    base = session.embedder_info
    if tuning.recipe["mode"] == "full":
        info = _describe(session, staged)
        told["fingerprint"] = info.fingerprint
        precision = str(session.settings.embedder.options.get("precision", "int8"))
        publish.add_export(staged, place_of(session.cache_dir, info.fingerprint, precision))
    publish.write_facts(staged, base, told)
    folder = publish.publish(staged, tuning.models / told["name"])
    shutil.rmtree(tuning.work, ignore_errors=True)
    return folder


def _point(tuning: Tuning, folder: Path) -> tuple[Path, str]:
    from ragcli.finetune import pointing

    config = tuning.session.config.own_file
    key = "query_adapter" if tuning.recipe["mode"] == "adapter" else "model"
    values: dict[str, str | None] = {key: _as_named(folder, config, tuning.session)}
    if key == "model":
        # A map of before was fitted to other vectors.
        values |= dict.fromkeys(BOUND)
        for other in BOUND:
            origin = tuning.session.config.loaded.origins.get(f"embedder.{other}", str(config))
            if origin != str(config):
                tuning.session.out.warn(
                    f"embedder.{other}, set by {origin}, belongs to the model of before: take it out."
                )
    pointing.point_all(tuning.models, config, values)
    return config, key


def _as_named(folder: Path, config: Path, session: Session) -> str:
    """The path as the configuration gives it: within a project from its root, so that it may move.

    A file that is named with --config is read from other folders too.
    """
    if config == session.config.project_file and folder.is_relative_to(config.parent):
        return f"./{folder.relative_to(config.parent).as_posix()}"
    return str(folder)


def _reindex(tuning: Tuning, folder: Path) -> str:
    from ragcli.finetune.ground import Ground, Scene, embed_with

    session = tuning.session
    embedder = _open(session, folder)
    with session.collection() as collection, TerminalProgress(session.out) as progress:
        ground = Ground(collection, records=False)
        embed_with(
            ground, Scene(session.settings, progress), _describe(session, folder), lambda: embedder
        )
        return f"The collection has {collection.ledger.coverage().embedded} new vectors."


def _may_push(name: str, session: Session) -> None:
    if session.settings.offline:
        raise UsageError("--push-to-hub needs the network, which is off.", "Leave out --offline.")
    if not _token(session):
        raise UsageError("--push-to-hub needs a token.", "Set HF_TOKEN to one that may write.")
    if not _HUB_NAME.fullmatch(name):
        raise UsageError(f"--push-to-hub {name!r} is not OWNER/NAME.", "Such as acme/embedder.")


def _token(session: Session) -> str | None:
    from huggingface_hub import get_token

    return session.environ.get("HF_TOKEN") or get_token()


def _push(folder: Path, name: str, session: Session) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(library_name="ragcli", token=_token(session))
    try:
        api.create_repo(name, private=True, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder)
    except (HfHubHTTPError, OSError) as error:
        raise NetworkError(
            f"The result is kept in {folder}, but it was not uploaded: {str(error).splitlines()[0]}.",
            f"Upload it with: hf upload {name} {folder}",
        ) from error
    session.out.note(f"Uploaded to https://huggingface.co/{name}.")


def roll_back(session: Session) -> dict[str, Any]:
    """Take back what the last result changed in the configuration."""
    from ragcli.finetune import pointing

    entry = pointing.roll_back(session.data_dir / "models")
    main = entry["changes"][0]
    said = f"{entry['config']}: embedder.{main['key']} is {main['before'] or 'the default'} again."
    if main["key"] == "model":
        said += " Embed the collection again with: ragcli ingest"
    return {"rolled_back": main["after"], "to": main["before"], "said": said}
